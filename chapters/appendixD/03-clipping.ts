/**
 * Gradient clipping (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, algorithm 1): if the L2 norm of all
 * gradients together, as one long vector g, is larger than a limit, all are multiplied by limit / ‖g‖. The step
 * keeps its direction and loses its length: one odd batch cannot spoil what many have learnt.
 */

import { manualSeed, type nn, optim, type Tensor } from '../../lib/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import { calcLossBatch } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { GPT_124M } from './01-warmup.ts';

/** The largest element of all gradients; null before `backward`. */
export function findHighestGradient(model: nn.Module): number | null {
  let highest: number | null = null;
  for (const { grad } of model.parameters()) {
    if (grad) highest = Math.max(highest ?? Number.NEGATIVE_INFINITY, grad.max().item());
  }
  return highest;
}

/** Scales a model's gradients down to a common norm of at most `maxNorm`; returns what the norm was. */
export function clipGradients(model: nn.Module, maxNorm = 1): number {
  return optim.clipGradNorm(model.parameters(), maxNorm);
}

/** The highest gradient of a new 124M model for one batch, [2, 256] twice, before and after clipping. */
export function showClipping(nb: Notebook, [inputs, targets]: [Tensor, Tensor], seed: number): void {
  manualSeed(seed);
  const model = new GPTModel(GPT_124M);
  calcLossBatch(inputs, targets, model).backward();
  nb.print(26, `tensor(${findHighestGradient(model)?.toFixed(4)})`);
  const norm = clipGradients(model);
  nb.print(28, `tensor(${findHighestGradient(model)?.toFixed(4)})`);
  nb.note(
    `The norm was ${norm.toFixed(4)}: all gradients were multiplied by ${Math.min(1, 1 / norm).toFixed(4)}`,
  );
  nb.figure('gradientNorm', norm);
  model.zeroGrad();
}
