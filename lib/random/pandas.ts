/** Row sampling as pandas does it, which is numpy's legacy `RandomState(seed).choice(n, replace=False)`. */

import { checkCount } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { Mt19937 } from './mt19937.ts';

/**
 * The row positions, in order, that `df.sample(size, random_state=seed)` returns for a frame of n rows:
 * the first `size` of `RandomState(seed).permutation(n)`, a Fisher–Yates shuffle from the back.
 *
 * @throws UserError if size exceeds n, or the seed is not one numpy takes (0 … 2³² − 1)
 */
export function samplePositions(n: number, size: number, seed: number): Int32Array {
  checkCount(n, 0, 'the number of rows', 'a sample');
  checkCount(size, 0, 'its size', 'a sample');
  if (size > n)
    throw new UserError(`cannot sample ${size} of ${n} rows without replacement; ask for at most ${n}`);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new UserError(`the seed must be a whole number from 0 to ${2 ** 32 - 1}, not ${seed}`);
  }
  const engine = new Mt19937(seed);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = randomUpTo(i, engine);
    const swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
  return order.slice(0, size);
}

/** Uniform in 0 … max: words cut to max's bits are drawn until one fits (numpy's `random_interval`). */
function randomUpTo(max: number, engine: Mt19937): number {
  const mask = 2 ** (32 - Math.clz32(max)) - 1;
  for (;;) {
    const value = (engine.nextUint32() & mask) >>> 0;
    if (value <= max) return value;
  }
}
