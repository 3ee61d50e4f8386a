/**
 * Gradient clipping (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063, algorithm 1): if the L2 norm of all
 * gradients together, as one long vector g, is larger than a limit, all are multiplied by limit / ‖g‖. The step
 * keeps its direction and loses its length: one odd batch cannot spoil what many have learnt.
 */

import { type nn, optim } from '../../lib/index.ts';

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
