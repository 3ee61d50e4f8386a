import { crossEntropyBackward, logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from './protocol';
import { firstLanes, storeLanes, storePair, storeUpToFour } from './rows';
import { exp4, log4, madd, maxLanes, splat, sumLanes } from './simd';

/**
 * Softmax and its relatives over the rows of row-major matrices. One row is one thread's; within a row the sums go
 * in a fixed order.
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

/** y = exp(scale (x − shift)); returns the sum. */
function exponentials(x: usize, y: usize, n: i32, shift: f32, scale: f32): f64 {
  let total: f64 = 0;
  for (; n > ADDED_UP; n -= ADDED_UP, x += 4 * ADDED_UP, y += 4 * ADDED_UP) {
    total += <f64>exponentialsOfPart(x, y, ADDED_UP, shift, scale);
  }
  return total + <f64>exponentialsOfPart(x, y, n, shift, scale);
}

// @ts-ignore: decorator
@inline
function exponential(x: v128, shift: v128, scale: v128): v128 {
  return exp4(f32x4.mul(scale, f32x4.sub(x, shift)));
}

function exponentialsOfPart(x: usize, y: usize, n: i32, shift: f32, scale: f32): f32 {
  const by = splat(scale);
  const off = splat(shift);
  let sum = splat(0);
  for (; n >= 8; n -= 8, x += 32, y += 32) {
    const first = exponential(v128.load(x), off, by);
    const second = exponential(v128.load(x, 16), off, by);
    storePair(y, first, second);
    sum = f32x4.add(f32x4.add(sum, first), second);
  }
  if (n >= 4) {
    const e = exponential(v128.load(x), off, by);
    v128.store(y, e);
    sum = f32x4.add(sum, e);
    n -= 4;
    x += 16;
    y += 16;
  }
  if (n > 0) {
    const e = exponential(v128.load(x), off, by);
    storeLanes(y, e, n);
    sum = f32x4.add(sum, firstLanes(e, splat(0), n));
  }
  return sumLanes(sum);
}

/** Σ exp(x − shift), in the same order. */
function expSum(x: usize, n: i32, shift: f32): f64 {
  let total: f64 = 0;
  for (; n > ADDED_UP; n -= ADDED_UP, x += 4 * ADDED_UP) total += <f64>expSumOfPart(x, ADDED_UP, shift);
  return total + <f64>expSumOfPart(x, n, shift);
}

function expSumOfPart(x: usize, n: i32, shift: f32): f32 {
  const off = splat(shift);
  let sum = splat(0);
  for (; n >= 4; n -= 4, x += 16) sum = f32x4.add(sum, exp4(f32x4.sub(v128.load(x), off)));
  if (n > 0) sum = f32x4.add(sum, firstLanes(exp4(f32x4.sub(v128.load(x), off)), splat(0), n));
  return sumLanes(sum);
}

function scaleRow(y: usize, n: i32, factor: f32): void {
  const by = splat(factor);
  for (; n >= 8; n -= 8, y += 32) storePair(y, f32x4.mul(v128.load(y), by), f32x4.mul(v128.load(y, 16), by));
  for (; n > 0; n -= 4, y += 16) storeUpToFour(y, f32x4.mul(v128.load(y), by), n);
}

/** Columns that a row sees. */
// @ts-ignore: decorator
@inline
function visible(row: i32, columns: i32, causalRows: i32): i32 {
  return causalRows != 0 ? columns - causalRows + (row % causalRows) + 1 : columns;
}

export function softmaxTask(task: i32): void {
  const columns = softmax.columns();
  const scale = softmax.scale();
  const last = min(softmax.rows(), (task + 1) * softmax.rowsPerTask());
  for (let row = task * softmax.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const n = visible(row, columns, softmax.causalRows());
    const x = softmax.x() + at;
    const y = softmax.y() + at;
    const sum = exponentials(x, y, n, maxOf(x, n), scale);
    scaleRow(y, n, <f32>(1 / sum));
    memory.fill(y + (<usize>n << 2), 0, <usize>(columns - n) << 2);
  }
}

/** dx = scale · y (g − Σ g y). */
export function softmaxBackwardTask(task: i32): void {
  const columns = softmaxBackward.columns();
  const scale = splat(softmaxBackward.scale());
  const last = min(softmaxBackward.rows(), (task + 1) * softmaxBackward.rowsPerTask());
  for (let row = task * softmaxBackward.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const n = visible(row, columns, softmaxBackward.causalRows());
    let y = softmaxBackward.y() + at;
    let g = softmaxBackward.g() + at;
    let dx = softmaxBackward.dx() + at;
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
    for (i = n; i >= 8; i -= 8, y += 32, g += 32, dx += 32) {
      const first = f32x4.mul(f32x4.mul(scale, v128.load(y)), f32x4.sub(v128.load(g), dot));
      const second = f32x4.mul(f32x4.mul(scale, v128.load(y, 16)), f32x4.sub(v128.load(g, 16), dot));
      storePair(dx, first, second);
    }
    for (; i > 0; i -= 4, y += 16, g += 16, dx += 16) {
      storeUpToFour(dx, f32x4.mul(f32x4.mul(scale, v128.load(y)), f32x4.sub(v128.load(g), dot)), i);
    }
    memory.fill(softmaxBackward.dx() + at + (<usize>n << 2), 0, <usize>(columns - n) << 2);
  }
}

// @ts-ignore: decorator
@inline
function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(splat(x)), 0);
}

/** log Σ exp(x − largest) of a row: with `largest` its log-sum-exp, in two parts as in ../../js/softmax.ts. */
// @ts-ignore: decorator
@inline
function logSum(x: usize, n: i32, largest: f32): f32 {
  return log1(<f32>expSum(x, n, largest));
}

export function logSoftmaxTask(task: i32): void {
  const columns = logSoftmax.columns();
  const last = min(logSoftmax.rows(), (task + 1) * logSoftmax.rowsPerTask());
  for (let row = task * logSoftmax.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    let x = logSoftmax.x() + at;
    let y = logSoftmax.out() + at;
    const largest = maxOf(x, columns);
    const max = splat(largest);
    const log = splat(logSum(x, columns, largest));
    let n = columns;
    for (; n >= 8; n -= 8, x += 32, y += 32) {
      const first = f32x4.sub(f32x4.sub(v128.load(x), max), log);
      storePair(y, first, f32x4.sub(f32x4.sub(v128.load(x, 16), max), log));
    }
    for (; n > 0; n -= 4, x += 16, y += 16) storeUpToFour(y, f32x4.sub(f32x4.sub(v128.load(x), max), log), n);
  }
}

/** dx = g − exp(y) Σ g. */
export function logSoftmaxBackwardTask(task: i32): void {
  const columns = logSoftmaxBackward.columns();
  const last = min(logSoftmaxBackward.rows(), (task + 1) * logSoftmaxBackward.rowsPerTask());
  for (let row = task * logSoftmaxBackward.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    let y = logSoftmaxBackward.y() + at;
    let g = logSoftmaxBackward.g() + at;
    let dx = logSoftmaxBackward.dx() + at;
    let sum = splat(0);
    let i = 0;
    for (; i + 4 <= columns; i += 4) sum = f32x4.add(sum, v128.load(g + (<usize>i << 2)));
    if (i < columns) sum = f32x4.add(sum, firstLanes(v128.load(g + (<usize>i << 2)), splat(0), columns - i));
    const total = splat(sumLanes(sum));
    for (i = columns; i >= 8; i -= 8, y += 32, g += 32, dx += 32) {
      const first = f32x4.sub(v128.load(g), f32x4.mul(exp4(v128.load(y)), total));
      const second = f32x4.sub(v128.load(g, 16), f32x4.mul(exp4(v128.load(y, 16)), total));
      storePair(dx, first, second);
    }
    for (; i > 0; i -= 4, y += 16, g += 16, dx += 16) {
      storeUpToFour(dx, f32x4.sub(v128.load(g), f32x4.mul(exp4(v128.load(y)), total)), i);
    }
  }
}

/** Cross-entropy, forward: each row's log-sum-exp, in two parts. */
export function logSumExpTask(task: i32): void {
  const columns = logSoftmax.columns();
  const last = min(logSoftmax.rows(), (task + 1) * logSoftmax.rowsPerTask());
  for (let row = task * logSoftmax.rowsPerTask(); row < last; row++) {
    const x = logSoftmax.x() + ((<usize>row * columns) << 2);
    const largest = maxOf(x, columns);
    store<f32>(logSoftmax.out() + (<usize>row << 3), largest);
    store<f32>(logSoftmax.out() + (<usize>row << 3), logSum(x, columns, largest), 4);
  }
}

/** Cross-entropy, backward: (softmax − one-hot) · perRow, nothing for rows whose target does not count. */
export function crossEntropyBackwardTask(task: i32): void {
  const columns = crossEntropyBackward.columns();
  const perRow = crossEntropyBackward.perRow();
  const by = splat(perRow);
  const last = min(crossEntropyBackward.rows(), (task + 1) * crossEntropyBackward.rowsPerTask());
  for (let row = task * crossEntropyBackward.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * columns) << 2;
    const target = load<i32>(crossEntropyBackward.targets() + (<usize>row << 2));
    if (target == crossEntropyBackward.ignoreIndex()) {
      memory.fill(crossEntropyBackward.dx() + at, 0, <usize>columns << 2);
      continue;
    }
    const max = v128.load32_splat(crossEntropyBackward.logSumExp() + (<usize>row << 3));
    const log = v128.load32_splat(crossEntropyBackward.logSumExp() + (<usize>row << 3), 4);
    let x = crossEntropyBackward.logits() + at;
    let y = crossEntropyBackward.dx() + at;
    let n = columns;
    for (; n >= 8; n -= 8, x += 32, y += 32) {
      const first = f32x4.mul(exp4(f32x4.sub(f32x4.sub(v128.load(x), max), log)), by);
      const second = f32x4.mul(exp4(f32x4.sub(f32x4.sub(v128.load(x, 16), max), log)), by);
      storePair(y, first, second);
    }
    for (; n > 0; n -= 4, x += 16, y += 16) {
      storeUpToFour(y, f32x4.mul(exp4(f32x4.sub(f32x4.sub(v128.load(x), max), log)), by), n);
    }
    const hit = <usize>target << 2;
    const logit = f32x4.sub(v128.load32_splat(crossEntropyBackward.logits() + at + hit), max);
    const p = f32x4.extract_lane(exp4(f32x4.sub(logit, log)), 0);
    store<f32>(crossEntropyBackward.dx() + at + hit, (p - 1) * perRow);
  }
}
