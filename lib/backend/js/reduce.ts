import type { Kernels, ReduceOp, Strided } from '../kernels.ts';
import { Storage } from '../storage.ts';
import { rowMajor, sizeOf } from '../strided.ts';

/** The view with the reduced axes moved to the end, so that each result is reduced from one row. */
function reducedAxesLast(x: Strided, axes: readonly number[]): { rows: Strided; length: number } {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const rows = {
    storage: x.storage,
    shape: order.map((axis) => x.shape[axis]),
    strides: order.map((axis) => x.strides[axis]),
    offset: x.offset,
  };
  return { rows, length: sizeOf(axes.map((axis) => x.shape[axis])) };
}

function reduce(op: ReduceOp, x: Strided, axes: readonly number[]): Storage {
  const { rows, length } = reducedAxesLast(x, axes);
  const input = rowMajor(rows);
  const count = sizeOf(x.shape.filter((_, axis) => !axes.includes(axis)));
  const out = Storage.empty(x.storage.dtype, count);
  const y = out.data;
  for (let row = 0; row < count; row++) {
    const start = row * length;
    let result = op === 'sum' ? 0 : input[start];
    for (let i = start; i < start + length; i++) {
      if (op === 'sum') result += input[i];
      else if (op === 'max') result = Math.max(result, input[i]);
      else result = Math.min(result, input[i]);
    }
    y[row] = result;
  }
  return out;
}

function argReduce(op: 'max' | 'min', x: Strided, axis: number): Storage {
  const { rows, length } = reducedAxesLast(x, [axis]);
  const input = rowMajor(rows);
  const out = Storage.empty('int32', sizeOf(x.shape.filter((_, a) => a !== axis)));
  const y = out.data;
  for (let row = 0; row < y.length; row++) {
    const start = row * length;
    let best = start;
    for (let i = start + 1; i < start + length; i++) {
      if (op === 'max' ? input[i] > input[best] : input[i] < input[best]) best = i;
      // The first NaN wins, and stays: nothing is above or below it.
      else if (Number.isNaN(input[i]) && !Number.isNaN(input[best])) best = i;
    }
    y[row] = best - start;
  }
  return out;
}

export const reduceKernels: Pick<Kernels, 'reduce' | 'argReduce'> = { reduce, argReduce };
