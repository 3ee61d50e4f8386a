import type { Kernels } from '../kernels.ts';
import { adamWKernels } from './adamW.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import { cumsum } from './cumsum.ts';
import { elementwiseKernels } from './elementwise.ts';
import { indexingKernels } from './indexing.ts';
import { layerNormKernels } from './layerNorm.ts';
import { matmulKernels } from './matmul.ts';
import { reduceKernels } from './reduce.ts';
import { rmsNormKernels } from './rmsNorm.ts';
import { rotary } from './rotary.ts';
import { softmaxKernels } from './softmax.ts';

/** Every kernel as readable loops: the reference that the other backends are tested against. */
export const jsKernels: Kernels = {
  ...elementwiseKernels,
  ...matmulKernels,
  ...reduceKernels,
  ...softmaxKernels,
  ...layerNormKernels,
  ...rmsNormKernels,
  rotary,
  ...crossEntropyKernels,
  ...indexingKernels,
  ...adamWKernels,
  cumsum,
};
