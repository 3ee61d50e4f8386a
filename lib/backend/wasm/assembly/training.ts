import { argF, argI, argP } from './job';
import { storeLanes } from './rows';
import { madd, splat } from './simd';

/** Embedding: rows of the table. Arguments: 0 rows in a task, 1 rows, 2 d, 3 table, 4 its row's bytes, 5 ids, 6 result. */
export function embeddingTask(task: i32): void {
  const bytes = argP(2) << 2;
  const last = min(argI(1), (task + 1) * argI(0));
  for (let row = task * argI(0); row < last; row++) {
    const id = load<i32>(argP(5) + (<usize>row << 2));
    memory.copy(argP(6) + <usize>row * bytes, argP(3) + <usize>id * argP(4), bytes);
  }
}

/**
 * Embedding, backward: row ids[i] of the table += g[i]. A task is some columns, so that the same id twice is no
 * race. Arguments: 0 columns in a task (a multiple of 4), 1 rows, 2 d, 3 table, 4 its row's bytes, 5 ids, 6 g.
 */
export function embeddingBackwardTask(task: i32): void {
  const d = argI(2);
  const first = task * argI(0);
  const last = min(d, first + argI(0));
  for (let row = 0; row < argI(1); row++) {
    const id = load<i32>(argP(5) + (<usize>row << 2));
    let to = argP(3) + <usize>id * argP(4) + (<usize>first << 2);
    let from = argP(6) + ((<usize>row * d + first) << 2);
    let n = last - first;
    for (; n >= 4; n -= 4, to += 16, from += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
    if (n > 0) storeLanes(to, f32x4.add(v128.load(to), v128.load(from)), n);
  }
}

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2), in the order of ../../js/adamW.ts. Arguments: 0 elements in a task,
 * 1 elements, 2 … 5 parameter, gradient, m, v; 6 β1, 7 1−β1, 8 β2, 9 1−β2, 10 step size lr / (1 − β1^t),
 * 11 √(1 − β2^t), 12 eps, 13 1 − lr · weight decay.
 */
export function adamWTask(task: i32): void {
  const first = task * argI(0);
  let n = min(argI(0), argI(1) - first);
  const at = <usize>first << 2;
  let p = argP(2) + at;
  let g = argP(3) + at;
  let m = argP(4) + at;
  let v = argP(5) + at;
  const beta1 = splat(argF(6));
  const rest1 = splat(argF(7));
  const beta2 = splat(argF(8));
  const rest2 = splat(argF(9));
  const size = splat(argF(10));
  const correction = splat(argF(11));
  const eps = splat(argF(12));
  const decay = splat(argF(13));
  for (; n > 0; n -= 4, p += 16, g += 16, m += 16, v += 16) {
    const gradient = v128.load(g);
    const mean = madd(beta1, v128.load(m), f32x4.mul(rest1, gradient));
    const square = madd(beta2, v128.load(v), f32x4.mul(f32x4.mul(rest2, gradient), gradient));
    const divisor = f32x4.add(f32x4.div(f32x4.sqrt(square), correction), eps);
    const decayed = f32x4.mul(v128.load(p), decay);
    const value = f32x4.sub(decayed, f32x4.div(f32x4.mul(size, mean), divisor));
    if (n >= 4) {
      v128.store(m, mean);
      v128.store(v, square);
      v128.store(p, value);
    } else {
      storeLanes(m, mean, n);
      storeLanes(v, square, n);
      storeLanes(p, value, n);
    }
  }
}
