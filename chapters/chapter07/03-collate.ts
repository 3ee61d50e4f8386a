/**
 * Examples of different lengths as one batch. A batch is only as wide as its own longest example, so short
 * ones are not filled up to the longest of the whole dataset, as in chapter 6. Three versions, each adding
 * one thing; the last is the one that is used.
 */

import { type Tensor, tensor } from '../../lib/index.ts';
import { END_OF_TEXT_ID } from '../chapter02/index.ts';

/** The loss passes over targets of this value: it is crossEntropy's default, as in PyTorch. */
export const IGNORE_INDEX = -100;

type Examples = readonly (readonly number[])[];

/**
 * Each example with one `<|endoftext|>` behind it, and then more of them until all are as long as the longest:
 * lists of length t + 1, whose first t are the inputs and whose last t are the targets.
 */
function fillUp(examples: Examples, padTokenId: number): number[][] {
  const longest = Math.max(...examples.map((ids) => ids.length + 1)); // t + 1
  return examples.map((ids) => [...ids, ...Array<number>(longest - ids.length).fill(padTokenId)]);
}

const asTensor = (rows: number[][]): Tensor => tensor(rows, { dtype: 'int32' });

/** First version: the inputs alone, filled up: [b, t]. */
export function customCollateDraft1(examples: Examples, padTokenId = END_OF_TEXT_ID): Tensor {
  return asTensor(fillUp(examples, padTokenId).map((ids) => ids.slice(0, -1))); // [b, t]
}

/** Second version: with the targets, which are the inputs moved on by one token: two of [b, t]. */
export function customCollateDraft2(examples: Examples, padTokenId = END_OF_TEXT_ID): [Tensor, Tensor] {
  const rows = fillUp(examples, padTokenId); // b lists of t + 1
  const inputs = asTensor(rows.map((ids) => ids.slice(0, -1))); // [b, t]
  const targets = asTensor(rows.map((ids) => ids.slice(1))); // [b, t]
  return [inputs, targets];
}

export interface CollateOptions {
  padTokenId?: number;
  ignoreIndex?: number;
  /** Longer rows are cut: no model sees more than its context length. */
  allowedMaxLength?: number;
}

/**
 * Third version: every filled-up target but the first becomes `ignoreIndex`. The first `<|endoftext|>` is kept,
 * since with it the model learns to stop; to predict the ones behind it is no use and would water the loss down.
 * @returns inputs and targets, int32 [b, t]
 */
export function customCollate(examples: Examples, options: CollateOptions = {}): [Tensor, Tensor] {
  const { padTokenId = END_OF_TEXT_ID, ignoreIndex = IGNORE_INDEX, allowedMaxLength } = options;
  const rows = fillUp(examples, padTokenId); // b lists of t + 1
  const inputs = rows.map((ids) => ids.slice(0, -1).slice(0, allowedMaxLength));
  const targets = rows.map((ids) => ignoreAllButFirst(ids.slice(1), padTokenId, ignoreIndex));
  return [asTensor(inputs), asTensor(targets.map((ids) => ids.slice(0, allowedMaxLength)))]; // both [b, t]
}

function ignoreAllButFirst(ids: number[], padTokenId: number, ignoreIndex: number): number[] {
  const first = ids.indexOf(padTokenId);
  return ids.map((id, i) => (id === padTokenId && i > first ? ignoreIndex : id));
}
