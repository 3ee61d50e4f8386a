import type { Strided } from '../kernels.ts';
import { Storage } from '../storage.ts';
import { rowMajor, sizeOf } from '../strided.ts';

/** Adds up along one axis, in float64 so that a long axis stays exact: each sum is rounded where it is stored. */
export function cumsum(x: Strided, axis: number, reverse: boolean): Storage {
  const input = rowMajor(x);
  const length = x.shape[axis];
  const step = sizeOf(x.shape.slice(axis + 1)); // from one element of the axis to the next
  const out = Storage.empty(x.storage.dtype, input.length);
  const y = out.data;
  for (let start = 0; start < input.length; start += length * step) {
    for (let inner = 0; inner < step; inner++) {
      let sum = 0;
      for (let i = 0; i < length; i++) {
        const at = start + inner + (reverse ? length - 1 - i : i) * step;
        sum += input[at];
        y[at] = sum;
      }
    }
  }
  return out;
}
