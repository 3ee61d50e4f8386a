import { nn, noGrad, type Tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

/**
 * W ← W + (alpha / rank) · A B: the update becomes part of the weight, and the model as fast as before it was
 * wrapped. Shows on one batch of ids [b, t] that the answers stay the same, and takes the update out again.
 */
export function showMerging(nb: Notebook, model: nn.Module, ids: Tensor): void {
  model.eval();
  const answer = () => noGrad(() => model.forward(ids).index(null, -1)); // [b, t, 2] → [b, 2]
  const apart = answer();
  nn.mergeLoRA(model);
  const merged = answer();
  nn.unmergeLoRA(model);
  const again = answer();
  const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();
  const size = apart.abs().amax().item();
  nb.note(`Logits up to ${size.toFixed(2)}; the largest difference`);
  nb.note(`  W + AB merged, against W and AB apart:  ${largest(merged, apart).toExponential(1)}`);
  nb.note(`  unmerged again, against before:         ${largest(again, apart).toExponential(1)}`);
  nb.figure('merge', { merged: largest(merged, apart), unmerged: largest(again, apart), logits: size });
}
