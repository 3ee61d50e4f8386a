import { argI, argP } from './job';

/**
 * Strided views as rows. The caller folds the dimensions of all operands of an elementwise kernel to an inner row,
 * along which every operand goes in steps of 0 or 1 elements, and up to five outer dimensions. The result is
 * row-major. The arguments from word `OUTER` on: number of outer dimensions, then for each (the innermost first) its
 * length and the bytes from one index to the next for each of three operands.
 */
const OUTER: i32 = 16;

/** Row lengths: `length`, but the last row ends where `total` elements do. */
// @ts-ignore: decorator
@inline
export function rowLength(row: i32, length: i32, total: i32): i32 {
  return min(length, total - row * length);
}

/** Bytes from an operand's first element to the given row. */
export function rowOffset(row: i32, operand: i32): usize {
  let offset: usize = 0;
  const rank = argI(OUTER);
  for (let i = 0; i < rank; i++) {
    const at = OUTER + 1 + 4 * i;
    const length = argI(at);
    const rest = row / length;
    offset += <usize>(row - rest * length) * argP(at + 1 + operand);
    row = rest;
  }
  return offset;
}

/** The first `count` (1 … 3) lanes of a vector. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, v: v128, count: i32): void {
  v128.store32_lane(to, v, 0);
  if (count > 1) v128.store32_lane(to, v, 1, 4);
  if (count > 2) v128.store32_lane(to, v, 2, 8);
}

/** Lanes 0 … count−1 of v, the others of `rest`. */
// @ts-ignore: decorator
@inline
export function firstLanes(v: v128, rest: v128, count: i32): v128 {
  return v128.bitselect(v, rest, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
}
