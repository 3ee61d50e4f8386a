import type { Kernels, Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor } from '../strided.ts';

/** y = (x − mean) / √(variance + eps) · scale + shift over each row (Ba, Kiros & Hinton 2016). */
function layerNorm(x: Strided, scale: Strided, shift: Strided, eps: number) {
  const [rows, d] = x.shape;
  const input = rowMajor(x);
  const gamma = rowMajor(scale);
  const beta = rowMajor(shift);
  const y = newFloats(rows * d);
  const mean = newFloats(rows);
  const rstd = newFloats(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * d;
    let sum = 0;
    for (let j = 0; j < d; j++) sum += input[start + j];
    const mu = sum / d;
    let squares = 0;
    for (let j = 0; j < d; j++) squares += (input[start + j] - mu) ** 2;
    // Numbers whose squares float32 cannot hold have no norm, here and on every engine.
    const r = Math.fround(squares) < Infinity ? 1 / Math.sqrt(squares / d + eps) : Number.NaN;
    for (let j = 0; j < d; j++) y.data[start + j] = (input[start + j] - mu) * r * gamma[j] + beta[j];
    mean.data[row] = mu;
    rstd.data[row] = r;
  }
  return { y: y.storage, mean: mean.storage, rstd: rstd.storage };
}

/**
 * With x̂ = (x − mean) / σ and ĝ = g · scale, each row of dx is (ĝ − mean(ĝ) − x̂ · mean(ĝ x̂)) / σ:
 * what is left of ĝ once the two directions that the norm removes, the mean and x̂, are taken out.
 */
function layerNormBackward(
  g: Strided,
  x: Strided,
  scale: Strided,
  mean: Storage,
  rstd: Storage,
  parameters: boolean,
) {
  const [rows, d] = x.shape;
  const input = rowMajor(x);
  const upstream = rowMajor(g);
  const gamma = rowMajor(scale);
  const dx = newFloats(rows * d);
  const dscale = newFloats(parameters ? d : 0);
  const dshift = newFloats(parameters ? d : 0);
  for (let row = 0; row < rows; row++) {
    const start = row * d;
    const mu = mean.data[row];
    const r = rstd.data[row];
    let sum = 0;
    let dot = 0;
    for (let j = 0; j < d; j++) {
      const xHat = (input[start + j] - mu) * r;
      const gHat = upstream[start + j] * gamma[j];
      sum += gHat;
      dot += gHat * xHat;
      if (parameters) {
        dscale.data[j] += upstream[start + j] * xHat;
        dshift.data[j] += upstream[start + j];
      }
    }
    for (let j = 0; j < d; j++) {
      const xHat = (input[start + j] - mu) * r;
      dx.data[start + j] = r * (upstream[start + j] * gamma[j] - sum / d - (xHat * dot) / d);
    }
  }
  if (!parameters) return { dx: dx.storage };
  return { dx: dx.storage, dscale: dscale.storage, dshift: dshift.storage };
}

export const layerNormKernels: Pick<Kernels, 'layerNorm' | 'layerNormBackward'> = {
  layerNorm,
  layerNormBackward,
};
