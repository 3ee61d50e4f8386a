import { argI, argP } from './job';
import { high, storeSums } from './norm';
import { firstLanes, storeLanes } from './rows';
import { maxLanes, minLanes, splat } from './simd';
import { maxOf } from './softmax';

/**
 * Sums, maxima and minima of x [outer, n, inner] over n, row-major. Sums are kept in double precision. Arguments:
 * 0 op (0 sum, 1 max, 2 min), 1 results in a task, 2 outer, 3 n, 4 inner, 5 x, 6 result.
 */

/** Sum of n floats: four doubles at a time. */
function sumOf(x: usize, n: i32): f32 {
  let a = f64x2.splat(0);
  let b = a;
  for (; n >= 4; n -= 4, x += 16) {
    const v = v128.load(x);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, f64x2.promote_low_f32x4(high(v)));
  }
  if (n > 0) {
    const v = firstLanes(v128.load(x), splat(0), n);
    a = f64x2.add(a, f64x2.promote_low_f32x4(v));
    b = f64x2.add(b, f64x2.promote_low_f32x4(high(v)));
  }
  a = f64x2.add(a, b);
  return <f32>(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
}

function minOf(x: usize, n: i32): f32 {
  let a = splat(Infinity);
  for (; n >= 4; n -= 4, x += 16) a = f32x4.min(a, v128.load(x));
  if (n > 0) a = f32x4.min(a, firstLanes(v128.load(x), a, n));
  return minLanes(a);
}

/** inner = 1: each result is one row's. */
export function reduceRowsTask(task: i32): void {
  const op = argI(0);
  const n = argI(3);
  const last = min(argI(2), (task + 1) * argI(1));
  for (let row = task * argI(1); row < last; row++) {
    const x = argP(5) + ((<usize>row * n) << 2);
    const value = op == 0 ? sumOf(x, n) : op == 1 ? maxOf(x, n) : minOf(x, n);
    store<f32>(argP(6) + (<usize>row << 2), value);
  }
}

/** Four neighbouring columns of one [n, inner] matrix: `count` of them count. */
function reduceColumns(op: i32, x: usize, n: i32, rowBytes: usize, to: usize, count: i32): void {
  if (op == 0) {
    let a = f64x2.splat(0);
    let b = a;
    for (; n > 0; n--, x += rowBytes) {
      const v = v128.load(x);
      a = f64x2.add(a, f64x2.promote_low_f32x4(v));
      b = f64x2.add(b, f64x2.promote_low_f32x4(high(v)));
    }
    storeSums(to, a, b, count);
    return;
  }
  let best = v128.load(x);
  for (; n > 0; n--, x += rowBytes) {
    best = op == 1 ? f32x4.max(best, v128.load(x)) : f32x4.min(best, v128.load(x));
  }
  if (count >= 4) v128.store(to, best);
  else storeLanes(to, best, count);
}

/** inner > 1: a task is some columns of one outer matrix; argument 1 is a multiple of 4. */
export function reduceColumnsTask(task: i32): void {
  const n = argI(3);
  const inner = argI(4);
  const perTask = argI(1);
  const blocks = (inner + perTask - 1) / perTask;
  const outer = task / blocks;
  const first = (task % blocks) * perTask;
  const last = min(inner, first + perTask);
  const x = argP(5) + ((<usize>outer * n * inner) << 2);
  const y = argP(6) + ((<usize>outer * inner) << 2);
  for (let column = first; column < last; column += 4) {
    const at = <usize>column << 2;
    reduceColumns(argI(0), x + at, n, <usize>inner << 2, y + at, last - column);
  }
}
