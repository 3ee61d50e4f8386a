import type { Kernels } from '../kernels.ts';
import { adamWKernels } from './adamW.ts';
import { crossEntropyKernels } from './crossEntropy.ts';
import type { Device } from './device.ts';
import { elementwiseKernels } from './elementwise.ts';
import { indexingKernels } from './indexing.ts';
import { inPlaceKernels } from './inPlace.ts';
import { layerNormKernels } from './layerNorm.ts';
import { matmulKernels } from './matmul.ts';
import { reduceKernels } from './reduce.ts';
import { softmaxKernels } from './softmax.ts';
import type { Value } from './value.ts';

/**
 * The seam's kernels as the GPU does them: each launches kernel functions and gives the values that result,
 * in the order of args.ts, or `undefined` for a case that it leaves to the CPU. None of them writes anything:
 * whoever calls puts the values in their places.
 */
export type GpuKernels = {
  [K in keyof Kernels]: (device: Device, ...args: Parameters<Kernels[K]>) => Value[] | undefined;
};

/** Everything of a training step: results stay on the device. */
export const residentKernels: Partial<GpuKernels> = {
  ...elementwiseKernels,
  ...inPlaceKernels,
  ...matmulKernels,
  ...reduceKernels,
  ...softmaxKernels,
  ...layerNormKernels,
  ...crossEntropyKernels,
  ...indexingKernels,
  ...adamWKernels,
};

/** The matrix product alone: everything else is left to the CPU. */
export const offloadKernels: Partial<GpuKernels> = matmulKernels;
