import { checkCount, checkFlag, checkOptions, inWords } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { tensor } from '../create.ts';
import { resolveAxisOrScalar } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { gather } from './indexing.ts';
import type { ValuesAndIndices } from './reduce.ts';

/** What depends on the order of the elements. NaN counts as the largest number, as in PyTorch. */

/** Negative where a comes first, in ascending order. */
function ascending(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // Equal, or one is NaN.
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

const descending = (a: number, b: number) => ascending(b, a);

/** The positions [rows, k] that `choose` gives for each row along an axis, with the axis back in its place. */
function positionsAlong(
  x: Tensor,
  along: number,
  k: number,
  choose: (row: ArrayLike<number>, out: Int32Array) => void,
): Tensor {
  if (x.ndim === 0) return positionsAlong(x.reshape(1), 0, k, choose).reshape(k === 0 ? [0] : []);
  const last = x.detach().transpose(along, -1).contiguous(); // [..., length]
  const length = last.shape.at(-1)!;
  const shape = last.shape.with(-1, k);
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const data = last.storage.data;
  const order = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const start = last.offset + row * length;
    choose(data.subarray(start, start + length), order.subarray(row * k, (row + 1) * k));
  }
  return tensor(order).reshape(shape).transpose(along, -1);
}

/** Positions (int32) that sort an axis; equal elements keep their order. */
export function argsort(x: Tensor, axis = -1, descends = false): Tensor {
  const along = resolveAxisOrScalar(axis, x.ndim, 'argsort');
  checkFlag(descends, 'descending', 'argsort');
  const compare = descends ? descending : ascending;
  return positionsAlong(x, along, x.shape[along] ?? 1, (row, out) => {
    for (let i = 0; i < out.length; i++) out[i] = i;
    out.sort((i, j) => compare(row[i], row[j]));
  });
}

/** The elements in order along an axis, and where they were; equal ones keep their order. */
export function sort(x: Tensor, axis = -1, descends = false): ValuesAndIndices {
  const indices = argsort(x, axis, descends);
  return { values: gather(x, axis, indices), indices };
}

/** Which end is wanted. */
export interface TopkOptions {
  /** False for the smallest ones. */
  largest?: boolean;
}

/** The k largest along the last axis (or another), the largest first, and where they are; of equal ones the first. */
export function topk(x: Tensor, k: number, axis = -1, options: boolean | TopkOptions = {}): ValuesAndIndices {
  // PyTorch's fourth argument is the flag itself.
  const named = typeof options === 'boolean' ? { largest: options } : options;
  checkOptions('topk', named, ['largest']);
  const largest = checkFlag(named.largest ?? true, 'largest', 'topk');
  const along = resolveAxisOrScalar(axis, x.ndim, 'topk');
  const length = x.shape[along] ?? 1;
  checkCount(k, 0, 'k', 'topk');
  if (k > length) {
    throw new UserError(`topk: there are no ${inWords(k)} elements on an axis of length ${length}`);
  }
  const compare = largest ? descending : ascending;
  const indices = positionsAlong(x, along, k, (row, out) => selectFirst(row, out, compare)).contiguous();
  return { values: gather(x, along, indices), indices };
}

/**
 * Fills `out` with the positions of the elements that come first, in order, in one pass over the row: out is a heap
 * with the last of those chosen so far on top, which is all that most elements are compared with.
 */
function selectFirst(
  row: ArrayLike<number>,
  out: Int32Array,
  compare: (a: number, b: number) => number,
): void {
  const k = out.length;
  if (k === 0) return;
  // Of equal elements the one further on comes later.
  const comesAfter = (i: number, j: number) => {
    const order = compare(row[i], row[j]);
    return order > 0 || (order === 0 && i > j);
  };
  const sink = (position: number, from: number) => {
    let at = from;
    for (let child = 2 * at + 1; child < k; child = 2 * at + 1) {
      if (child + 1 < k && comesAfter(out[child + 1], out[child])) child++;
      if (!comesAfter(out[child], position)) break;
      out[at] = out[child];
      at = child;
    }
    out[at] = position;
  };
  for (let i = 0; i < k; i++) out[i] = i;
  for (let i = (k >> 1) - 1; i >= 0; i--) sink(out[i], i);
  for (let i = k; i < row.length; i++) if (comesAfter(out[0], i)) sink(i, 0);
  out.sort((i, j) => (comesAfter(i, j) ? 1 : -1));
}
