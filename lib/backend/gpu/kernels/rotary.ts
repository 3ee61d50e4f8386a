import { sizeOf } from '../../strided.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { type Batch, kernelFunction, type Matrix, type Thread } from './kernelFunction.ts';
import { seenAs } from './views.ts';

/** Rotary position embedding: an element of a row's first half meets its partner `half` places on, and the reverse. */
const turned = kernelFunction(
  'turned',
  ['array', 'array', 'array', 'int', 'float'],
  function (this: Thread, x: Batch, cos: Matrix, sin: Matrix, half: number, turn: number) {
    if (this.thread.x < half) {
      return (
        x[this.thread.z][this.thread.y][this.thread.x] * cos[this.thread.y][this.thread.x] -
        turn * x[this.thread.z][this.thread.y][this.thread.x + half] * sin[this.thread.y][this.thread.x]
      );
    }
    return (
      x[this.thread.z][this.thread.y][this.thread.x] * cos[this.thread.y][this.thread.x - half] +
      turn * x[this.thread.z][this.thread.y][this.thread.x - half] * sin[this.thread.y][this.thread.x - half]
    );
  },
);

export const rotaryKernels: Pick<GpuKernels, 'rotary'> = {
  rotary(device, x, cos, sin, back) {
    if (!device.wants(x)) return undefined;
    const [tokens, half] = cos.shape;
    const size = [2 * half, tokens, sizeOf(x.shape.slice(0, -2))];
    const angles = [seenAs(device, cos, half, tokens), seenAs(device, sin, half, tokens)];
    return [device.launch(turned, size, [seenAs(device, x, ...size), ...angles, half, back ? -1 : 1])];
  },
};
