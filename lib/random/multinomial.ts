/** Sampling indices in proportion to given probabilities, by the two methods of `torch.multinomial`. */

import { UserError } from '../errors.ts';

/** What the samplers need of a generator. */
interface Draws {
  exponential(n: number): Float32Array;
  nextDouble(): number;
}

/**
 * Without replacement: divide each probability by an exponential variate of its own and take the indices of
 * the largest quotients, largest first. This is the Gumbel-max trick with the logarithms left out: the
 * index of the largest p/q is distributed as p.
 * @throws UserError if fewer entries than samples have a positive probability
 */
export function multinomialWithoutReplacement(
  probs: Float32Array,
  numSamples: number,
  draws: Draws,
): Int32Array {
  checkProbabilities(probs);
  if (numSamples > probs.length) {
    throw new UserError(
      `multinomial: cannot draw ${numSamples} samples without replacement from ${probs.length} entries; ` +
        'draw fewer, or with replacement',
    );
  }
  const possible = probs.reduce((count, p) => count + Number(p > 0), 0);
  if (numSamples > possible) {
    throw new UserError(
      `multinomial: cannot draw ${numSamples} samples without replacement, for only ${possible} entries have a ` +
        'positive probability; draw fewer, or with replacement',
    );
  }
  const q = draws.exponential(probs.length);
  const quotient = probs.map((p, i) => p / q[i]);
  if (numSamples === 1) return Int32Array.of(indexOfLargest(quotient));
  const order = Int32Array.from(quotient.keys()).sort((a, b) => quotient[b] - quotient[a]);
  return order.slice(0, numSamples);
}

/**
 * With replacement: running sums in float32, scaled to end at 1, then for each sample the first sum that is
 * not below a uniform double, found by bisection.
 */
export function multinomialWithReplacement(
  probs: Float32Array,
  numSamples: number,
  draws: Draws,
): Int32Array {
  checkProbabilities(probs);
  const cumulative = new Float32Array(probs.length);
  let sum = 0;
  for (let i = 0; i < probs.length; i++) {
    sum = Math.fround(sum + probs[i]);
    cumulative[i] = sum;
  }
  for (let i = 0; i < cumulative.length; i++) cumulative[i] /= sum;
  cumulative[cumulative.length - 1] = 1;

  const samples = new Int32Array(numSamples);
  for (let s = 0; s < numSamples; s++) {
    const target = draws.nextDouble();
    let left = 0;
    let right = cumulative.length;
    while (left < right) {
      const middle = (left + right) >>> 1;
      if (cumulative[middle] < target) left = middle + 1;
      else right = middle;
    }
    samples[s] = left;
  }
  return samples;
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function checkProbabilities(probs: Float32Array): void {
  let sum = 0;
  for (const p of probs) {
    if (!(p >= 0 && p < Number.POSITIVE_INFINITY)) {
      throw new UserError(
        `multinomial: ${p} is not a probability; every entry must be finite and not negative`,
      );
    }
    sum += p;
  }
  if (sum === 0)
    throw new UserError('multinomial: the probabilities sum to 0; at least one must be positive');
}
