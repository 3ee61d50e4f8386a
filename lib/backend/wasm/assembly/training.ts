import { adamW, embedding, embeddingBackward } from './protocol';
import { storeLanes } from './rows';
import { madd, splat } from './simd';

/** Embedding: rows of the table. */
export function embeddingTask(task: i32): void {
  const bytes = <usize>embedding.d() << 2;
  const last = min(embedding.rows(), (task + 1) * embedding.rowsPerTask());
  for (let row = task * embedding.rowsPerTask(); row < last; row++) {
    const id = load<i32>(embedding.ids() + (<usize>row << 2));
    memory.copy(embedding.out() + <usize>row * bytes, embedding.table() + <usize>id * embedding.rowBytes(), bytes);
  }
}

/** Embedding, backward: row ids[i] of the table += g[i]. A task is some columns, so that the same id twice is not a race. */
export function embeddingBackwardTask(task: i32): void {
  const d = embeddingBackward.d();
  const first = task * embeddingBackward.columnsPerTask();
  const last = min(d, first + embeddingBackward.columnsPerTask());
  for (let row = 0; row < embeddingBackward.rows(); row++) {
    const id = load<i32>(embeddingBackward.ids() + (<usize>row << 2));
    let to = embeddingBackward.table() + <usize>id * embeddingBackward.rowBytes() + (<usize>first << 2);
    let from = embeddingBackward.g() + ((<usize>row * d + first) << 2);
    let n = last - first;
    for (; n >= 4; n -= 4, to += 16, from += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
    if (n > 0) storeLanes(to, f32x4.add(v128.load(to), v128.load(from)), n);
  }
}

/** AdamW (Loshchilov & Hutter 2019, algorithm 2), in the order of ../../js/adamW.ts. */
export function adamWTask(task: i32): void {
  const first = task * adamW.elementsPerTask();
  let n = min(adamW.elementsPerTask(), adamW.elements() - first);
  const at = <usize>first << 2;
  let p = adamW.parameter() + at;
  let g = adamW.gradient() + at;
  let m = adamW.m() + at;
  let v = adamW.v() + at;
  const beta1 = splat(adamW.beta1());
  const rest1 = splat(adamW.oneMinusBeta1());
  const beta2 = splat(adamW.beta2());
  const rest2 = splat(adamW.oneMinusBeta2());
  const size = splat(adamW.stepSize());
  const correction = splat(adamW.correction());
  const eps = splat(adamW.eps());
  const decay = splat(adamW.decay());
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
