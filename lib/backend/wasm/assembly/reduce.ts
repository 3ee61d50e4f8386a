import { Reduce, reduce } from './protocol';
import { firstLanes, storeLanes, storeSums } from './rows';
import { high, maxLanes, minLanes, splat } from './simd';
import { maxOf } from './softmax';

/** Sums, maxima and minima of x [outer, n, inner] over n, row-major. Sums are kept in double precision. */

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
  const op = reduce.op();
  const n = reduce.n();
  const last = min(reduce.outer(), (task + 1) * reduce.perTask());
  for (let row = task * reduce.perTask(); row < last; row++) {
    const x = reduce.x() + ((<usize>row * n) << 2);
    const value = op == Reduce.sum ? sumOf(x, n) : op == Reduce.max ? maxOf(x, n) : minOf(x, n);
    store<f32>(reduce.out() + (<usize>row << 2), value);
  }
}

/** Four neighbouring columns of one [n, inner] matrix: `count` of them count. */
function reduceColumns(op: i32, x: usize, n: i32, rowBytes: usize, to: usize, count: i32): void {
  if (op == Reduce.sum) {
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
    best = op == Reduce.max ? f32x4.max(best, v128.load(x)) : f32x4.min(best, v128.load(x));
  }
  if (count >= 4) v128.store(to, best);
  else storeLanes(to, best, count);
}

/** inner > 1: a task is some columns of one outer matrix; argument 1 is a multiple of 4. */
export function reduceColumnsTask(task: i32): void {
  const n = reduce.n();
  const inner = reduce.inner();
  const perTask = reduce.perTask();
  const blocks = (inner + perTask - 1) / perTask;
  const outer = task / blocks;
  const first = (task % blocks) * perTask;
  const last = min(inner, first + perTask);
  const x = reduce.x() + ((<usize>outer * n * inner) << 2);
  const y = reduce.out() + ((<usize>outer * inner) << 2);
  for (let column = first; column < last; column += 4) {
    const at = <usize>column << 2;
    reduceColumns(reduce.op(), x + at, n, <usize>inner << 2, y + at, last - column);
  }
}
