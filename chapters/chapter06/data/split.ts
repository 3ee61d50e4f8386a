/** Balancing and splitting the messages, row for row as the book's pandas code does with the same seed. */

import { UserError } from '../../../lib/errors.ts';
import { samplePositions } from '../../../lib/random/index.ts';
import type { Message } from './sms.ts';

/** The mission's notebook splits with this seed; the book with 123. */
export const DEFAULT_SEED = 42;

/**
 * As many ham messages as there are spam ones, drawn with the seed, then all the spam in its own order:
 * `pd.concat([ham.sample(num_spam, random_state=seed), spam])`.
 *
 * @throws UserError if there is no spam, or more spam than ham
 */
export function createBalancedDataset(messages: readonly Message[], seed = DEFAULT_SEED): Message[] {
  const ham = messages.filter((message) => message.label === 'ham');
  const spam = messages.filter((message) => message.label === 'spam');
  if (spam.length === 0 || ham.length < spam.length) {
    throw new UserError(
      `cannot balance ${ham.length} ham and ${spam.length} spam messages: ` +
        'there must be some spam, and at least as much ham',
    );
  }
  const subset = Array.from(samplePositions(ham.length, spam.length, seed), (position) => ham[position]);
  return [...subset, ...spam];
}

export interface Split<Row> {
  train: Row[];
  validation: Row[];
  test: Row[];
}

/**
 * Shuffles the rows with the seed and cuts them: the first `trainFraction`, the next `validationFraction`,
 * and the rest. The sizes are rounded down, as Python's `int()` does.
 */
export function randomSplit<Row>(
  rows: readonly Row[],
  trainFraction: number,
  validationFraction: number,
  seed = DEFAULT_SEED,
): Split<Row> {
  if (!(trainFraction >= 0 && validationFraction >= 0 && trainFraction + validationFraction <= 1)) {
    const given = `${trainFraction} and ${validationFraction}`;
    throw new UserError(`cannot split: the parts must be at least 0 and together at most 1, not ${given}`);
  }
  const shuffled = Array.from(samplePositions(rows.length, rows.length, seed), (position) => rows[position]);
  const trainEnd = Math.trunc(rows.length * trainFraction);
  const validationEnd = trainEnd + Math.trunc(rows.length * validationFraction);
  return {
    train: shuffled.slice(0, trainEnd),
    validation: shuffled.slice(trainEnd, validationEnd),
    test: shuffled.slice(validationEnd),
  };
}
