import { elementwise } from './protocol';

/**
 * Strided views as rows. The caller folds the dimensions of all operands of an elementwise kernel to an inner row,
 * along which every operand goes in steps of 0 or 1 elements, and a few outer dimensions. The result is row-major.
 */

/** Row lengths: `length`, but the last row ends where `total` elements do. */
// @ts-ignore: decorator
@inline
export function rowLength(row: i32, length: i32, total: i32): i32 {
  return min(length, total - row * length);
}

/** Bytes from an operand's first element to the given row. */
export function rowOffset(row: i32, operand: i32): usize {
  let offset: usize = 0;
  const dimensions = elementwise.outerDimensions();
  for (let i = 0; i < dimensions; i++) {
    const length = elementwise.outerLengths(i);
    const rest = row / length;
    offset += <usize>(row - rest * length) * elementwise.outerBytes(3 * i + operand);
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

/**
 * Two vectors side by side, the upper one first: in this order V8 joins them to one of 256 bits where it may (docs/engine.md), and
 * with them the operations that they come from.
 */
// @ts-ignore: decorator
@inline
export function storePair(to: usize, first: v128, second: v128): void {
  v128.store(to, second, 16);
  v128.store(to, first);
}

/** A vector, or its first `count` lanes where there are fewer than four. */
// @ts-ignore: decorator
@inline
export function storeUpToFour(to: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(to, v);
  else storeLanes(to, v, count);
}

/** Lanes 0 … count−1 of v, the others of `rest`. */
// @ts-ignore: decorator
@inline
export function firstLanes(v: v128, rest: v128, count: i32): v128 {
  return v128.bitselect(v, rest, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
}

/** Four doubles as floats, or the first `count` of them. */
// @ts-ignore: decorator
@inline
export function storeSums(to: usize, low: v128, upper: v128, count: i32): void {
  const value = v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(upper), 0, 2);
  storeUpToFour(to, value, count);
}
