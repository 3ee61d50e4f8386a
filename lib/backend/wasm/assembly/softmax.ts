import { argF, argI, argP } from './job';
import { firstLanes, storeLanes } from './rows';
import { exp1, exp4, log4, madd, maxLanes, splat, sumLanes } from './simd';

/**
 * Softmax and its relatives over the rows of row-major matrices. One row is one thread's; within a row the sums go
 * in a fixed order. Arguments: 0 rows in a task, 1 rows, 2 columns, 3 x or y, 4 g, 5 result, 6 scale, 7 whether row i
 * of each [t, t] matrix sees the columns 0 … i only.
 */

/** The largest of n numbers; NaN if there is one. */
export function maxOf(x: usize, n: i32): f32 {
  let a = splat(-Infinity);
  let b = a;
  for (; n >= 8; n -= 8, x += 32) {
    a = f32x4.max(a, v128.load(x));
    b = f32x4.max(b, v128.load(x, 16));
  }
  if (n >= 4) {
    a = f32x4.max(a, v128.load(x));
    n -= 4;
    x += 16;
  }
  if (n > 0) b = f32x4.max(b, firstLanes(v128.load(x), b, n));
  return maxLanes(f32x4.max(a, b));
}

/** Numbers added up in float32 before their sum goes to one of float64: a row may have 50,257. */
const ADDED_UP: i32 = 1024;

/** y = exp(scale (x − shift)); returns the sum. y = 0 asks for the sum alone. */
function expSum(x: usize, y: usize, n: i32, shift: f32, scale: f32): f64 {
  let total: f64 = 0;
  for (; n > ADDED_UP; n -= ADDED_UP, x += 4 * ADDED_UP) {
    total += <f64>expSumOfPart(x, y, ADDED_UP, shift, scale);
    if (y != 0) y += 4 * ADDED_UP;
  }
  return total + <f64>expSumOfPart(x, y, n, shift, scale);
}

function expSumOfPart(x: usize, y: usize, n: i32, shift: f32, scale: f32): f32 {
  const by = splat(scale);
  const off = splat(shift);
  let sum = splat(0);
  for (; n >= 4; n -= 4, x += 16) {
    const e = exp4(f32x4.mul(by, f32x4.sub(v128.load(x), off)));
    sum = f32x4.add(sum, e);
    if (y != 0) {
      v128.store(y, e);
      y += 16;
    }
  }
  if (n > 0) {
    const e = exp4(f32x4.mul(by, f32x4.sub(v128.load(x), off)));
    sum = f32x4.add(sum, firstLanes(e, splat(0), n));
    if (y != 0) storeLanes(y, e, n);
  }
  return sumLanes(sum);
}

function scaleRow(y: usize, n: i32, factor: f32): void {
  const by = splat(factor);
  for (; n >= 4; n -= 4, y += 16) v128.store(y, f32x4.mul(v128.load(y), by));
  if (n > 0) storeLanes(y, f32x4.mul(v128.load(y), by), n);
}

/** Columns that a row sees. */
// @ts-ignore: decorator
@inline
function visible(row: i32, columns: i32): i32 {
  return argI(7) != 0 ? (row % columns) + 1 : columns;
}

export function softmaxTask(task: i32): void {
  const columns = argI(2);
  const scale = argF(6);
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const n = visible(row, columns);
    const x = argP(3) + at;
    const y = argP(5) + at;
    const sum = expSum(x, y, n, maxOf(x, n), scale);
    scaleRow(y, n, <f32>(1 / sum));
    memory.fill(y + (<usize>n << 2), 0, <usize>(columns - n) << 2);
  }
}

/** dx = scale · y (g − Σ g y). */
export function softmaxBackwardTask(task: i32): void {
  const columns = argI(2);
  const scale = splat(argF(6));
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const n = visible(row, columns);
    let y = argP(3) + at;
    let g = argP(4) + at;
    let dx = argP(5) + at;
    let sum = splat(0);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      sum = madd(v128.load(y + (<usize>i << 2)), v128.load(g + (<usize>i << 2)), sum);
    }
    if (i < n) {
      const product = f32x4.mul(v128.load(y + (<usize>i << 2)), v128.load(g + (<usize>i << 2)));
      sum = f32x4.add(sum, firstLanes(product, splat(0), n - i));
    }
    const dot = splat(sumLanes(sum));
    for (i = 0; i < n; i += 4, y += 16, g += 16, dx += 16) {
      const value = f32x4.mul(f32x4.mul(scale, v128.load(y)), f32x4.sub(v128.load(g), dot));
      if (i + 4 <= n) v128.store(dx, value);
      else storeLanes(dx, value, n - i);
    }
    memory.fill(argP(5) + at + (<usize>n << 2), 0, <usize>(columns - n) << 2);
  }
}

// @ts-ignore: decorator
@inline
function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(splat(x)), 0);
}

/** log Σ exp of a row, safe for large numbers. */
function logSumExp(x: usize, n: i32): f32 {
  const largest = maxOf(x, n);
  if (largest == -Infinity) return -Infinity;
  return largest + log1(<f32>expSum(x, 0, n, largest, 1));
}

export function logSoftmaxTask(task: i32): void {
  const columns = argI(2);
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    let x = argP(3) + at;
    let y = argP(5) + at;
    const lse = splat(logSumExp(x, columns));
    let n = columns;
    for (; n >= 4; n -= 4, x += 16, y += 16) v128.store(y, f32x4.sub(v128.load(x), lse));
    if (n > 0) storeLanes(y, f32x4.sub(v128.load(x), lse), n);
  }
}

/** dx = g − exp(y) Σ g. */
export function logSoftmaxBackwardTask(task: i32): void {
  const columns = argI(2);
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    let y = argP(3) + at;
    let g = argP(4) + at;
    let dx = argP(5) + at;
    let sum = splat(0);
    let i = 0;
    for (; i + 4 <= columns; i += 4) sum = f32x4.add(sum, v128.load(g + (<usize>i << 2)));
    if (i < columns) sum = f32x4.add(sum, firstLanes(v128.load(g + (<usize>i << 2)), splat(0), columns - i));
    const total = splat(sumLanes(sum));
    for (i = 0; i < columns; i += 4, y += 16, g += 16, dx += 16) {
      const value = f32x4.sub(v128.load(g), f32x4.mul(exp4(v128.load(y)), total));
      if (i + 4 <= columns) v128.store(dx, value);
      else storeLanes(dx, value, columns - i);
    }
  }
}

/** Cross-entropy, forward: each row's log-sum-exp. */
export function logSumExpTask(task: i32): void {
  const columns = argI(2);
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    store<f32>(argP(5) + (<usize>row << 2), logSumExp(argP(3) + ((<usize>row * columns) << 2), columns));
  }
}

/**
 * Cross-entropy, backward: (softmax − one-hot) · perRow, nothing for rows without a target. 4 is each row's
 * log-sum-exp, 8 the targets, 9 the target that does not count.
 */
export function crossEntropyBackwardTask(task: i32): void {
  const columns = argI(2);
  const perRow = argF(6);
  const by = splat(perRow);
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const target = load<i32>(argP(8) + (<usize>row << 2));
    if (target == argI(9)) {
      memory.fill(argP(5) + at, 0, <usize>columns << 2);
      continue;
    }
    const lse = splat(load<f32>(argP(4) + (<usize>row << 2)));
    let x = argP(3) + at;
    let y = argP(5) + at;
    let n = columns;
    for (; n >= 4; n -= 4, x += 16, y += 16) {
      v128.store(y, f32x4.mul(exp4(f32x4.sub(v128.load(x), lse)), by));
    }
    if (n > 0) storeLanes(y, f32x4.mul(exp4(f32x4.sub(v128.load(x), lse)), by), n);
    const hit = argP(5) + at + (<usize>target << 2);
    store<f32>(hit, (exp1(load<f32>(argP(3) + at + (<usize>target << 2)) - f32x4.extract_lane(lse, 0)) - 1) * perRow);
  }
}
