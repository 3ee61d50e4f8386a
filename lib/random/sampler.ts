/**
 * The order in which PyTorch's DataLoader visits its items. Every pass over a loader draws a base seed from
 * the generator (for worker processes; it is drawn even when there are none, shuffled or not); a shuffling
 * loader then draws the sampler's seed and shuffles with a fresh generator of that seed. So evaluating a
 * model between epochs changes the order of the next epoch, here as in PyTorch.
 */

import { Generator } from './generator.ts';

/** What creating an iterator over any DataLoader draws. */
export function drawBaseSeed(generator: Generator): bigint {
  return generator.random64();
}

/** The order of `RandomSampler` for n items; drawn when the first item is asked for. */
export function shuffledOrder(n: number, generator: Generator): Int32Array {
  return new Generator(generator.random64()).randperm(n);
}
