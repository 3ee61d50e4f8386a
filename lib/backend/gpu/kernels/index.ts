import { adamWKernels } from './adamW.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import { elementwiseKernels } from './elementwise.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { indexingKernels } from './indexing.ts';
import { inPlaceKernels } from './inPlace.ts';
import { layerNormKernels } from './layerNorm.ts';
import { matmulKernels } from './matmul.ts';
import { reduceKernels } from './reduce.ts';
import { rmsNormKernels } from './rmsNorm.ts';
import { rotaryKernels } from './rotary.ts';
import { softmaxKernels } from './softmax.ts';

/** Everything of a training step: results stay on the device. */
export const residentKernels: GpuKernels = {
  ...elementwiseKernels,
  ...inPlaceKernels,
  ...matmulKernels,
  ...reduceKernels,
  ...softmaxKernels,
  ...layerNormKernels,
  ...rmsNormKernels,
  ...rotaryKernels,
  ...crossEntropyKernels,
  ...indexingKernels,
  ...adamWKernels,
  ...{ scatterInto: undefined, cumsum: undefined },
};

/** Only the matrix product: everything else is left to the CPU. */
export const offloadKernels: GpuKernels = {
  ...(Object.fromEntries(Object.keys(residentKernels).map((name) => [name, undefined])) as GpuKernels),
  ...matmulKernels,
};
