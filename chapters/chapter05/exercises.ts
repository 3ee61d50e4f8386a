import { type nn, type Tensor, tensor } from '../../lib/index.ts';
import { type Batches, calcLossLoader } from './01-text-and-loss.ts';
import { softmaxWithTemperature } from './03-decoding.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. The perplexity of a model over a loader: among how many equally likely tokens it seems to waver. It is e to
 * the mean loss.
 */
export function perplexity(loader: Batches, model: nn.Module): number {
  return Math.exp(calcLossLoader(loader, model));
}

/** 2. How often a token is to be expected in so many draws. The token's probability times the draws. */
export function expectedDraws(logits: Tensor, id: number, temperature: number, draws: number): number {
  return draws * softmaxWithTemperature(logits, temperature).select(0, id).item();
}

/**
 * 3. Top-p ("nucleus") sampling: −∞ in place of all but the likeliest tokens that together have the probability p.
 * Logits [b, v] → [b, v]. A token stays as long as those likelier than it have not reached p.
 */
export function keepTopP(logits: Tensor, p: number): Tensor {
  const probas = logits.softmax(-1); // [b, v]
  const smallestKept = (probas.toArray() as number[][]).map((row) => {
    let sum = 0;
    return row.sort((one, other) => other - one).find((proba) => (sum += proba) >= p) ?? 0;
  });
  const smallest = tensor(smallestKept).unsqueeze(1); // [b, 1]
  return logits.maskedFill(probas.lt(smallest), Number.NEGATIVE_INFINITY); // [b, v]
}

/**
 * 4. The loss of each position of a text by itself: logits [t, v] and targets [t] → [t]. Minus the log-probability
 * of each target; `gather` picks them out.
 */
export function lossPerToken(logits: Tensor, targets: Tensor): Tensor {
  const logProbas = logits.logSoftmax(-1); // [t, v]
  return logProbas.gather(1, targets.unsqueeze(1)).squeeze(1).neg(); // [t, 1] → [t]
}
