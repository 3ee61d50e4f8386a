import { random, UserError } from '../../lib/index.ts';

/** Rows as three parts: as pandas cuts them, or class by class. */

/** The mission's notebook splits with this seed; the book with 123. */
export const DEFAULT_SEED = 42;

export interface Split<Row> {
  train: Row[];
  validation: Row[];
  test: Row[];
}

/**
 * Shuffles the rows with the seed and cuts them: the first `trainFraction`, the next `validationFraction`,
 * and the rest. The sizes are rounded down, as Python's `int()` does.
 *
 * @throws UserError if the fractions are negative or together more than 1
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
  const shuffled = Array.from(
    random.samplePositions(rows.length, rows.length, seed),
    (position) => rows[position],
  );
  const trainEnd = Math.trunc(rows.length * trainFraction);
  const validationEnd = trainEnd + Math.trunc(rows.length * validationFraction);
  return {
    train: shuffled.slice(0, trainEnd),
    validation: shuffled.slice(trainEnd, validationEnd),
    test: shuffled.slice(validationEnd),
  };
}

/**
 * The same for each class by itself, so that every part has the classes in nearly the same shares. Within a part the
 * rows keep their order. The sizes of a class are rounded, and every class has at least one row in each part.
 *
 * @param classOf the class of a row
 * @throws UserError if a class has fewer than three rows
 */
export function stratifiedSplit<Row>(
  rows: readonly Row[],
  trainFraction: number,
  validationFraction: number,
  classOf: (row: Row) => string,
  seed = DEFAULT_SEED,
): Split<Row> {
  const classes = new Map<string, number[]>();
  for (const [i, row] of rows.entries()) {
    const own = classes.get(classOf(row));
    if (own) own.push(i);
    else classes.set(classOf(row), [i]);
  }
  const parts: Split<number> = { train: [], validation: [], test: [] };
  for (const [name, positions] of classes) {
    const count = positions.length;
    if (count < 3) {
      throw new UserError(
        `class '${name}' has ${count === 1 ? 'one row' : 'two rows'}: three are needed, one for each part; add some, or take it out`,
      );
    }
    const shuffled = Array.from(
      random.samplePositions(count, count, seed),
      (position) => positions[position],
    );
    const validation = Math.max(1, Math.round(count * validationFraction));
    const test = Math.max(1, Math.round(count * (1 - trainFraction - validationFraction)));
    for (const [i, position] of shuffled.entries()) {
      const part = i < test ? parts.test : i < test + validation ? parts.validation : parts.train;
      part.push(position);
    }
  }
  const inOrder = (positions: number[]) => positions.sort((a, b) => a - b).map((position) => rows[position]);
  return { train: inOrder(parts.train), validation: inOrder(parts.validation), test: inOrder(parts.test) };
}
