import type { Kernels, Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor } from '../strided.ts';

/** y = x / √(mean(x²) + eps) · scale over each row (Zhang & Sennrich 2019). */
function rmsNorm(x: Strided, scale: Strided, eps: number) {
  const [rows, d] = x.shape;
  const input = rowMajor(x);
  const gamma = rowMajor(scale);
  const y = newFloats(rows * d);
  const rstd = newFloats(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * d;
    let squares = 0;
    for (let j = 0; j < d; j++) squares += input[start + j] ** 2;
    // Squares that float32 cannot hold make every number 0, here and on every engine.
    const r = 1 / Math.sqrt(Math.fround(squares) / d + eps);
    for (let j = 0; j < d; j++) y.data[start + j] = input[start + j] * r * gamma[j];
    rstd.data[row] = r;
  }
  return { y: y.storage, rstd: rstd.storage };
}

/**
 * With x̂ = x · rstd and ĝ = g · scale, each row of dx is rstd · (ĝ − x̂ · mean(ĝ x̂)): what points along x̂ is taken out of
 * ĝ, since a longer x has the same x̂.
 */
function rmsNormBackward(g: Strided, x: Strided, scale: Strided, rstd: Storage, parameters: boolean) {
  const [rows, d] = x.shape;
  const input = rowMajor(x);
  const upstream = rowMajor(g);
  const gamma = rowMajor(scale);
  const dx = newFloats(rows * d);
  const dscale = newFloats(parameters ? d : 0);
  for (let row = 0; row < rows; row++) {
    const start = row * d;
    const r = rstd.data[row];
    let dot = 0;
    for (let j = 0; j < d; j++) {
      const xHat = input[start + j] * r;
      dot += upstream[start + j] * gamma[j] * xHat;
      if (parameters) dscale.data[j] += upstream[start + j] * xHat;
    }
    for (let j = 0; j < d; j++) {
      const xHat = input[start + j] * r;
      dx.data[start + j] = r * (upstream[start + j] * gamma[j] - (xHat * dot) / d);
    }
  }
  return parameters ? { dx: dx.storage, dscale: dscale.storage } : { dx: dx.storage };
}

export const rmsNormKernels: Pick<Kernels, 'rmsNorm' | 'rmsNormBackward'> = { rmsNorm, rmsNormBackward };
