import { gemv, Start } from './protocol';
import { storeLanes } from './rows';
import { madd, splat, sumLanes } from './simd';

/**
 * Products with very few rows, C [m, n] = A [m, k] · B [k, n] for m of 1 or 2: every number of B is used once or
 * twice, so packing it would cost more than it saves, and the memory's speed is the limit. A is row-major.
 */

// @ts-ignore: decorator
@inline
function start(c: usize, bias: usize): f32 {
  const how = gemv.start();
  return how == Start.zero ? 0 : how == Start.add ? load<f32>(c) : load<f32>(bias);
}

function dot(a: usize, b: usize, k: i32): f32 {
  let sum = splat(0);
  for (; k >= 4; k -= 4, a += 16, b += 16) sum = madd(v128.load(a), v128.load(b), sum);
  let rest: f32 = 0;
  for (; k > 0; k--, a += 4, b += 4) rest += load<f32>(a) * load<f32>(b);
  return sumLanes(sum) + rest;
}

/** B's columns each lie in one piece (a transposed weight): dot products, four columns at a time. */
export function gemvDotsTask(task: i32): void {
  const m = gemv.m();
  const k = gemv.k();
  const line = gemv.line();
  const first = task * gemv.columnsPerTask();
  const last = min(gemv.n(), first + gemv.columnsPerTask());
  const whole = k & ~3;
  let column = first;
  for (; column + 4 <= last; column += 4) {
    for (let i = 0; i < m; i++) {
      let a = gemv.a() + ((<usize>i * k) << 2);
      let b0 = gemv.b() + <usize>column * line;
      let b2 = b0 + 2 * line;
      let s0 = splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      let kk = 0;
      for (; kk < whole; kk += 4, a += 16, b0 += 16, b2 += 16) {
        const v = v128.load(a);
        s0 = madd(v, v128.load(b0), s0);
        s1 = madd(v, v128.load(b0 + line), s1);
        s2 = madd(v, v128.load(b2), s2);
        s3 = madd(v, v128.load(b2 + line), s3);
      }
      let r0: f32 = 0;
      let r1: f32 = 0;
      let r2: f32 = 0;
      let r3: f32 = 0;
      for (; kk < k; kk++, a += 4, b0 += 4, b2 += 4) {
        const v = load<f32>(a);
        r0 += v * load<f32>(b0);
        r1 += v * load<f32>(b0 + line);
        r2 += v * load<f32>(b2);
        r3 += v * load<f32>(b2 + line);
      }
      const c = gemv.c() + <usize>i * gemv.rowBytes() + (<usize>column << 2);
      const bias = gemv.bias() + (<usize>column << 2);
      store<f32>(c, start(c, bias) + (sumLanes(s0) + r0));
      store<f32>(c, start(c + 4, bias + 4) + (sumLanes(s1) + r1), 4);
      store<f32>(c, start(c + 8, bias + 8) + (sumLanes(s2) + r2), 8);
      store<f32>(c, start(c + 12, bias + 12) + (sumLanes(s3) + r3), 12);
    }
  }
  for (; column < last; column++) {
    for (let i = 0; i < m; i++) {
      const c = gemv.c() + <usize>i * gemv.rowBytes() + (<usize>column << 2);
      const sum = dot(gemv.a() + ((<usize>i * k) << 2), gemv.b() + <usize>column * line, k);
      store<f32>(c, start(c, gemv.bias() + (<usize>column << 2)) + sum);
    }
  }
}

/** y += x0 b0 + x1 b1 + x2 b2 + x3 b3 over n columns, the rows of B `step` bytes apart. */
function addFourRows(y: usize, x: usize, b: usize, step: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x, 4);
  const x2 = v128.load32_splat(x, 8);
  const x3 = v128.load32_splat(x, 12);
  let b2 = b + 2 * step;
  for (; n > 0; n -= 4, y += 16, b += 16, b2 += 16) {
    let sum = madd(x0, v128.load(b), v128.load(y));
    sum = madd(x1, v128.load(b + step), sum);
    sum = madd(x2, v128.load(b2), sum);
    sum = madd(x3, v128.load(b2 + step), sum);
    if (n >= 4) v128.store(y, sum);
    else storeLanes(y, sum, n);
  }
}

function addRow(y: usize, x: usize, b: usize, n: i32): void {
  const x0 = v128.load32_splat(x);
  for (; n > 0; n -= 4, y += 16, b += 16) {
    const sum = madd(x0, v128.load(b), v128.load(y));
    if (n >= 4) v128.store(y, sum);
    else storeLanes(y, sum, n);
  }
}

/** B's rows each lie in one piece: they are added up, each times its number of A. */
export function gemvRowsTask(task: i32): void {
  const m = gemv.m();
  const k = gemv.k();
  const step = gemv.step();
  const first = task * gemv.columnsPerTask();
  const n = min(gemv.n(), first + gemv.columnsPerTask()) - first;
  const at = <usize>first << 2;
  for (let i = 0; i < m; i++) {
    const c = gemv.c() + <usize>i * gemv.rowBytes() + at;
    for (let j: usize = 0; j < <usize>n; j++) store<f32>(c + (j << 2), start(c + (j << 2), gemv.bias() + at + (j << 2)));
  }
  let kk = 0;
  let b = gemv.b() + at;
  for (; kk + 4 <= k; kk += 4, b += 4 * step) {
    for (let i = 0; i < m; i++) {
      addFourRows(gemv.c() + <usize>i * gemv.rowBytes() + at, gemv.a() + ((<usize>i * k + kk) << 2), b, step, n);
    }
  }
  for (; kk < k; kk++, b += step) {
    for (let i = 0; i < m; i++) {
      addRow(gemv.c() + <usize>i * gemv.rowBytes() + at, gemv.a() + ((<usize>i * k + kk) << 2), b, n);
    }
  }
}
