import { gemv, Start } from './protocol';
import { storePair, storeUpToFour } from './rows';
import { madd, splat, sumLanes } from './simd';

/**
 * Products with very few rows, C [m, n] = A [m, k] · B [k, n] for m of 1 to 4: every number of B is used so seldom that
 * packing it would cost more than it saves, and the memory's speed is the limit. A is row-major. A job is one product, or
 * several of one shape, such as attention's for one new token: one for each head.
 */

// @ts-ignore: decorator
@inline
function start(c: usize, bias: usize): f32 {
  const how = gemv.start();
  return how == Start.zero ? 0 : how == Start.add ? load<f32>(c) : load<f32>(bias);
}

/** Adds up four chains and what is left of k; a sum has the same order wherever its column is computed. */
// @ts-ignore: decorator
@inline
function finish(s0: v128, s1: v128, s2: v128, s3: v128, a: usize, b: usize, k: i32): f32 {
  for (; k >= 4; k -= 4, a += 16, b += 16) s0 = madd(v128.load(a), v128.load(b), s0);
  let rest: f32 = 0;
  for (; k > 0; k--, a += 4, b += 4) rest += load<f32>(a) * load<f32>(b);
  return sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3))) + rest;
}

/** One column's dot product with a row of A. Four chains of multiply-adds: in one, each would wait for the one before. */
function storeDot(c: usize, bias: usize, a: usize, b: usize, k: i32): void {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; k >= 16; k -= 16, a += 64, b += 64) {
    s0 = madd(v128.load(a), v128.load(b), s0);
    s1 = madd(v128.load(a, 16), v128.load(b, 16), s1);
    s2 = madd(v128.load(a, 32), v128.load(b, 32), s2);
    s3 = madd(v128.load(a, 48), v128.load(b, 48), s3);
  }
  store<f32>(c, start(c, bias) + finish(s0, s1, s2, s3, a, b, k));
}

/** Those of two columns, `apart` columns from each other. */
function storeTwoDots(c: usize, bias: usize, a: usize, b: usize, apart: usize, line: usize, k: i32): void {
  let other = b + apart * line;
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let t0 = s0;
  let t1 = s0;
  let t2 = s0;
  let t3 = s0;
  for (; k >= 16; k -= 16, a += 64, b += 64, other += 64) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, 16);
    const a2 = v128.load(a, 32);
    const a3 = v128.load(a, 48);
    s0 = madd(a0, v128.load(b), s0);
    t0 = madd(a0, v128.load(other), t0);
    s1 = madd(a1, v128.load(b, 16), s1);
    t1 = madd(a1, v128.load(other, 16), t1);
    s2 = madd(a2, v128.load(b, 32), s2);
    t2 = madd(a2, v128.load(other, 32), t2);
    s3 = madd(a3, v128.load(b, 48), s3);
    t3 = madd(a3, v128.load(other, 48), t3);
  }
  const further = apart << 2;
  store<f32>(c, start(c, bias) + finish(s0, s1, s2, s3, a, b, k));
  store<f32>(c + further, start(c + further, bias + further) + finish(t0, t1, t2, t3, a, other, k));
}

/**
 * B's columns each lie in one piece (a transposed weight): dot products. Each thread reads two halves of its columns side
 * by side, both from one end to the other: memory answers two long streams half as fast again as one, and twice as fast
 * as many short ones.
 */
export function gemvDotsTask(task: i32): void {
  const m = gemv.m();
  const k = gemv.k();
  const line = gemv.line();
  const product = <usize>(task / gemv.tasksEach());
  const fromA = gemv.a() + product * gemv.nextA();
  const fromB = gemv.b() + product * gemv.nextB();
  const toC = gemv.c() + product * gemv.nextC();
  const first = (task % gemv.tasksEach()) * gemv.columnsPerTask();
  const columns = min(gemv.n(), first + gemv.columnsPerTask()) - first;
  const half = columns >> 1;
  for (let column = first; column < first + half; column++) {
    const b = fromB + <usize>column * line;
    const bias = gemv.bias() + (<usize>column << 2);
    for (let i = 0; i < m; i++) {
      const c = toC + <usize>i * gemv.rowBytes() + (<usize>column << 2);
      storeTwoDots(c, bias, fromA + ((<usize>i * k) << 2), b, half, line, k);
    }
  }
  if ((columns & 1) == 0) return;
  const last = first + columns - 1;
  for (let i = 0; i < m; i++) {
    const c = toC + <usize>i * gemv.rowBytes() + (<usize>last << 2);
    const bias = gemv.bias() + (<usize>last << 2);
    storeDot(c, bias, fromA + ((<usize>i * k) << 2), fromB + <usize>last * line, k);
  }
}

/** y += x0 b0 + x1 b1 + x2 b2 + x3 b3 over n columns, the rows of B `step` bytes apart. */
function addFourRows(y: usize, x: usize, b: usize, step: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x, 4);
  const x2 = v128.load32_splat(x, 8);
  const x3 = v128.load32_splat(x, 12);
  let b2 = b + 2 * step;
  for (; n >= 8; n -= 8, y += 32, b += 32, b2 += 32) {
    let sum = madd(x0, v128.load(b), v128.load(y));
    let second = madd(x0, v128.load(b, 16), v128.load(y, 16));
    sum = madd(x1, v128.load(b + step), sum);
    second = madd(x1, v128.load(b + step, 16), second);
    sum = madd(x2, v128.load(b2), sum);
    second = madd(x2, v128.load(b2, 16), second);
    sum = madd(x3, v128.load(b2 + step), sum);
    second = madd(x3, v128.load(b2 + step, 16), second);
    storePair(y, sum, second);
  }
  for (; n > 0; n -= 4, y += 16, b += 16, b2 += 16) {
    let sum = madd(x0, v128.load(b), v128.load(y));
    sum = madd(x1, v128.load(b + step), sum);
    sum = madd(x2, v128.load(b2), sum);
    sum = madd(x3, v128.load(b2 + step), sum);
    storeUpToFour(y, sum, n);
  }
}

function addRow(y: usize, x: usize, b: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  for (; n > 0; n -= 4, y += 16, b += 16) storeUpToFour(y, madd(x0, v128.load(b), v128.load(y)), n);
}

/** B's rows each lie in one piece: they are added up, each times its number of A. */
export function gemvRowsTask(task: i32): void {
  const m = gemv.m();
  const k = gemv.k();
  const step = gemv.step();
  const product = <usize>(task / gemv.tasksEach());
  const fromA = gemv.a() + product * gemv.nextA();
  const first = (task % gemv.tasksEach()) * gemv.columnsPerTask();
  const n = min(gemv.n(), first + gemv.columnsPerTask()) - first;
  const at = <usize>first << 2;
  const toC = gemv.c() + product * gemv.nextC() + at;
  for (let i = 0; i < m; i++) {
    const c = toC + <usize>i * gemv.rowBytes();
    for (let j: usize = 0; j < <usize>n; j++) store<f32>(c + (j << 2), start(c + (j << 2), gemv.bias() + at + (j << 2)));
  }
  let kk = 0;
  let b = gemv.b() + product * gemv.nextB() + at;
  for (; kk + 4 <= k; kk += 4, b += 4 * step) {
    for (let i = 0; i < m; i++) {
      addFourRows(toC + <usize>i * gemv.rowBytes(), fromA + ((<usize>i * k + kk) << 2), b, step, n);
    }
  }
  for (; kk < k; kk++, b += step) {
    for (let i = 0; i < m; i++) {
      addRow(toC + <usize>i * gemv.rowBytes(), fromA + ((<usize>i * k + kk) << 2), b, n);
    }
  }
}
