import { F, manualSeed, ones, randn, type Tensor, tensor, zeros } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { formatTable } from '../../common/table.ts';
import { rmsNormByHand } from '../../llama/model/01-rms-norm.ts';

/**
 * Gemma's RMS norm: the model learns how far from 1 each scale is, w, and what is multiplied is 1 + w. At first w is 0. The
 * numbers that come out are those of a Llama's norm whose scale is 1 + w, but weight decay, which pulls what is learnt
 * towards 0, leaves a norm that does nothing here, and in a Llama a norm that lets nothing through.
 *
 * llama.cpp's files have 1 + w. Whoever reads them as w scales by 1 too much, and gets fluent nonsense again.
 */
export function gemmaNormByHand(x: Tensor, w: Tensor, eps = 1e-6): Tensor {
  return rmsNormByHand(x, w.add(1), eps); // [b, t, d] · [d]
}

/** What weight decay makes of both norms; and scores of queries and keys with and without a norm of their own. */
export function showNorms(nb: Notebook): void {
  const x = tensor([[1, 2, 3, 6]]); // [1, 4]
  const rows = [0, 1000, 10_000].map((steps) => {
    const left = 0.9999 ** steps; // a learning rate of 0.001 and a weight decay of 0.1
    const llama = rmsNormByHand(x, ones(4).mul(left));
    const gemma = gemmaNormByHand(x, zeros(4).mul(left));
    return [steps.toLocaleString('en'), ...[llama, gemma].map((y) => y.select(1, -1).item().toFixed(3))];
  });
  nb.note(formatTable(['steps of weight decay', "Llama's last number", "Gemma's"], rows));

  manualSeed(123);
  const [query, key] = [randn(1, 256), randn(1, 256)]; // a head of 256 numbers
  const score = (q: Tensor, k: Tensor) => q.matmul(k.t()).div(16).item().toFixed(2);
  const normed = (y: Tensor) => F.rmsNorm(y, ones(256), 1e-6);
  nb.note(
    `a score as it is: ${score(query, key)}; of numbers ten times as large: ${score(query.mul(10), key.mul(10))}`,
  );
  nb.note(
    `the same with norms: ${score(normed(query), normed(key))} and ${score(normed(query.mul(10)), normed(key.mul(10)))}`,
  );
}
