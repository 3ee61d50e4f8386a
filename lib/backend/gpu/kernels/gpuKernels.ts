import type { Kernels } from '../../kernels.ts';
import type { Device } from '../device/device.ts';
import type { Value } from '../device/value.ts';

/**
 * The seam's kernels as the GPU does them: each launches kernel functions and gives the values that result,
 * in the order of effects.ts, or `undefined` for a case that it leaves to the CPU. No kernel writes anything: the caller puts
 * the values in their places.
 */
export type GpuKernels = {
  [K in keyof Kernels]:
    | ((device: Device, ...args: Parameters<Kernels[K]>) => Value[] | undefined)
    // Left to the CPU in all cases.
    | undefined;
};
