import type { AdamWStep, Kernels, Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { rowMajor } from '../strided.ts';

/** AdamW (Loshchilov & Hutter 2019, algorithm 2), in the order of PyTorch's own implementation. */
function adamW(parameter: Strided, gradient: Strided, m: Storage, v: Storage, step: AdamWStep): true {
  const { lr, beta1, beta2, eps, weightDecay } = step;
  const g = rowMajor(gradient);
  const mean = m.writable;
  const square = v.writable;
  const weights = parameter.storage.writable;
  const stepSize = lr / (1 - beta1 ** step.step);
  const squareCorrection = Math.sqrt(1 - beta2 ** step.step);
  for (let i = 0; i < g.length; i++) {
    const at = parameter.offset + i;
    mean[i] = beta1 * mean[i] + (1 - beta1) * g[i];
    square[i] = beta2 * square[i] + (1 - beta2) * g[i] * g[i];
    const decayed = weights[at] * (1 - lr * weightDecay);
    weights[at] = decayed - (stepSize * mean[i]) / (Math.sqrt(square[i]) / squareCorrection + eps);
  }
  return true;
}

export const adamWKernels: Pick<Kernels, 'adamW'> = { adamW };
