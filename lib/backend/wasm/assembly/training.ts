import { adamW, embedding, embeddingBackward } from './protocol';
import { storePair, storeUpToFour } from './rows';
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
    for (; n >= 8; n -= 8, to += 32, from += 32) {
      storePair(to, f32x4.add(v128.load(to), v128.load(from)), f32x4.add(v128.load(to, 16), v128.load(from, 16)));
    }
    for (; n > 0; n -= 4, to += 16, from += 16) {
      storeUpToFour(to, f32x4.add(v128.load(to), v128.load(from)), n);
    }
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
  for (; n >= 8; n -= 8, p += 32, g += 32, m += 32, v += 32) {
    const gradient = v128.load(g);
    const gradient2 = v128.load(g, 16);
    const mean = madd(beta1, v128.load(m), f32x4.mul(rest1, gradient));
    const mean2 = madd(beta1, v128.load(m, 16), f32x4.mul(rest1, gradient2));
    const square = madd(beta2, v128.load(v), f32x4.mul(f32x4.mul(rest2, gradient), gradient));
    const square2 = madd(beta2, v128.load(v, 16), f32x4.mul(f32x4.mul(rest2, gradient2), gradient2));
    const value = steppedTo(v128.load(p), mean, square, size, correction, eps, decay);
    const value2 = steppedTo(v128.load(p, 16), mean2, square2, size, correction, eps, decay);
    storePair(m, mean, mean2);
    storePair(v, square, square2);
    storePair(p, value, value2);
  }
  for (; n > 0; n -= 4, p += 16, g += 16, m += 16, v += 16) {
    const gradient = v128.load(g);
    const mean = madd(beta1, v128.load(m), f32x4.mul(rest1, gradient));
    const square = madd(beta2, v128.load(v), f32x4.mul(f32x4.mul(rest2, gradient), gradient));
    storeUpToFour(p, steppedTo(v128.load(p), mean, square, size, correction, eps, decay), n);
    storeUpToFour(m, mean, n);
    storeUpToFour(v, square, n);
  }
}

/** What a step makes of parameters. */
// @ts-ignore: decorator
@inline
function steppedTo(
  p: v128, mean: v128, square: v128, size: v128, correction: v128, eps: v128, decay: v128,
): v128 {
  const divisor = f32x4.add(f32x4.div(f32x4.sqrt(square), correction), eps);
  return f32x4.sub(f32x4.mul(p, decay), f32x4.div(f32x4.mul(size, mean), divisor));
}
