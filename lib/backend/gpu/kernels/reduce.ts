import type { ReduceOp, Strided } from '../../kernels.ts';
import { sizeOf } from '../../strided.ts';
import type { Device, LaunchArgument } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import type { KernelDefinition } from '../protocol.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { type Batch, kernelFunction, type Thread } from './kernelFunction.ts';
import { isWhole, seenAs } from './views.ts';

/**
 * Reductions over the middle axis of x [outer, length, inner]. A thread takes one part of the axis, `part`
 * numbers long, and a second pass takes the parts' results: a long sum on one thread would leave all others idle.
 */
function reduceKernel(op: ReduceOp, first: string, next: string): KernelDefinition {
  return kernelFunction(
    `reduce ${op}`,
    ['array', 'int', 'int'],
    `function (x, part, length) {
      let result = ${first};
      for (let i = 0; i < part; i++) {
        if (this.thread.y * part + i < length) {
          const value = x[this.thread.z][this.thread.y * part + i][this.thread.x];
          result = ${next};
        }
      }
      return result;
    }`,
  );
}

const FIRST = 'x[this.thread.z][this.thread.y * part][this.thread.x]';
const KERNELS: Record<ReduceOp, KernelDefinition> = {
  sum: reduceKernel('sum', '0', 'result + value'),
  max: reduceKernel('max', FIRST, 'Math.max(result, value)'),
  min: reduceKernel('min', FIRST, 'Math.min(result, value)'),
};

const argMax = kernelFunction(
  'argMax',
  ['array', 'int', 'float'],
  function (this: Thread, x: Batch, length: number, sign: number) {
    let best = x[this.thread.y][0][this.thread.x] * sign;
    let place = 0;
    for (let i = 1; i < length; i++) {
      const value = x[this.thread.y][i][this.thread.x] * sign;
      if (value > best) {
        best = value;
        place = i;
      }
    }
    return place;
  },
);

/** Threads that keep a card busy. */
const ENOUGH_THREADS = 8192;
const LONG = 512;

/** The view with the reduced axes brought together, as [outer, length, inner]. */
function grouped(device: Device, x: Strided, axes: readonly number[]) {
  const sorted = [...axes].sort((a, b) => a - b);
  const together = sorted.every((axis, i) => axis === sorted[0] + i) && isWhole(x);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = together ? x.shape.map((_, axis) => axis) : [...kept, ...sorted];
  const view: Strided = {
    storage: x.storage,
    shape: order.map((axis) => x.shape[axis]),
    strides: order.map((axis) => x.strides[axis]),
    offset: x.offset,
  };
  const length = sizeOf(axes.map((axis) => x.shape[axis]));
  const outer = sizeOf(together ? x.shape.slice(0, sorted[0]) : kept.map((axis) => x.shape[axis]));
  const inner = sizeOf(x.shape) / length / outer;
  return { outer, length, inner, arg: seenAs(device, view, inner, length, outer) };
}

/** [outer, length, inner] → [outer, inner], in as many passes as are needed. */
function reduceMiddle(
  device: Device,
  op: ReduceOp,
  x: { outer: number; length: number; inner: number; arg: LaunchArgument },
): Value {
  const { outer, length, inner, arg } = x;
  const isLong = length > LONG && outer * inner < ENOUGH_THREADS;
  const part = isLong ? Math.ceil(Math.sqrt(length)) : length;
  const parts = Math.ceil(length / part);
  const value = device.launch(KERNELS[op], [inner, parts, outer], [arg, part, length]);
  if (parts === 1) return value;
  return reduceMiddle(device, op, {
    outer,
    length: parts,
    inner,
    arg: { value, size: [inner, parts, outer] },
  });
}

export const reduceKernels: Pick<GpuKernels, 'reduce' | 'argReduce'> = {
  reduce(device, op, x, axes) {
    if (!device.wants(x) || x.storage.dtype !== 'float32') return undefined;
    return [reduceMiddle(device, op, grouped(device, x, axes))];
  },
  argReduce(device, op, x, axis) {
    if (!device.wants(x)) return undefined;
    const { outer, length, inner, arg } = grouped(device, x, [axis]);
    return [device.launch(argMax, [inner, outer], [arg, length, op === 'max' ? 1 : -1], 'int32')];
  },
};
