import { Dataset, F, type Tensor, tensor } from '../../lib/index.ts';
import { END_OF_TEXT, END_OF_TEXT_ID } from '../chapter02/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import { largest } from '../common/largest.ts';
import type { Notebook } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatExample, formatInput, formatResponse } from './02-preparing-the-dataset.ts';

/**
 * Examples of different lengths as one batch. A batch is only as wide as its own longest example, so short
 * ones are not padded to the longest of the whole dataset, as they are in chapter 6. Three versions, each adding
 * one thing; the last is the one that is used.
 */

/** The examples as token ids, each as long as it is: padding is left to the batch (see below). */
export class InstructionDataset extends Dataset<number[]> {
  private readonly encoded: number[][];

  constructor(entries: readonly InstructionEntry[], tokeniser: Tokeniser = gpt2Tokeniser) {
    super();
    this.encoded = entries.map((entry) => tokeniser.encode(formatExample(entry)));
  }

  get length(): number {
    return this.encoded.length;
  }

  get(position: number): number[] {
    return this.encoded[position];
  }
}

/** The loss ignores targets of this value: it is crossEntropy's default, as in PyTorch. */
export const IGNORE_INDEX = -100;

type Examples = readonly (readonly number[])[];

/**
 * Each example with one `<|endoftext|>` after it, and then more of them until all are as long as the longest:
 * lists of length t + 1, whose first t are the inputs and whose last t are the targets.
 */
function fillUp(examples: Examples, padTokenId: number): number[][] {
  const longest = largest(examples.map((ids) => ids.length + 1)); // t + 1
  return examples.map((ids) => [...ids, ...Array<number>(longest - ids.length).fill(padTokenId)]);
}

const asTensor = (rows: number[][]): Tensor => tensor(rows, { dtype: 'int32' });

/** First version: only the inputs, padded: [b, t]. */
export function customCollateDraft1(examples: Examples, padTokenId = END_OF_TEXT_ID): Tensor {
  return asTensor(fillUp(examples, padTokenId).map((ids) => ids.slice(0, -1))); // [b, t]
}

/** Second version: with the targets, which are the inputs shifted by one token: two of [b, t]. */
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
 * Third version: every padded target but the first becomes `ignoreIndex`. The first `<|endoftext|>` is kept,
 * since from it the model learns to stop; predicting those after it is of no use, and would dilute the loss.
 * @returns inputs and targets, int32 [b, t]
 */
export function customCollate(examples: Examples, options: CollateOptions = {}): [Tensor, Tensor] {
  const { padTokenId = END_OF_TEXT_ID, ignoreIndex = IGNORE_INDEX, allowedMaxLength } = options;
  const rows = fillUp(examples, padTokenId); // b lists of t + 1
  const inputs = rows.map((ids) => ids.slice(0, -1).slice(0, allowedMaxLength));
  const targets = rows.map((ids) => ignoreAllButFirst(ids.slice(1), padTokenId, ignoreIndex));
  return [asTensor(inputs), asTensor(targets.map((ids) => ids.slice(0, allowedMaxLength)))]; // both [b, t]
}

/** Prompt and answer as token ids, one behind the other. */
export interface PromptAndAnswer {
  prompt: readonly number[];
  answer: readonly number[];
}

/**
 * Fourth version, for newer models: the targets that belong to a prompt are ignored as well. The model never has to write them,
 * and for a vocabulary of 262,144 their logits would be half of all the work. (For GPT-2 that is exercise 2.)
 * @returns inputs and targets, int32 [b, t]
 */
export function collateAnswers(
  examples: readonly PromptAndAnswer[],
  options: CollateOptions = {},
): [Tensor, Tensor] {
  const { ignoreIndex = IGNORE_INDEX } = options;
  const whole = examples.map(({ prompt, answer }) => [...prompt, ...answer]);
  const [inputs, targets] = customCollate(whole, options); // [b, t]
  const rows = (targets.toArray() as number[][]).map((row, i) =>
    // A prompt of p tokens has p − 1 targets of its own.
    row.map((id, at) => (at < examples[i].prompt.length - 1 ? ignoreIndex : id)),
  );
  return [inputs, asTensor(rows)];
}

/**
 * The examples for it. Prompt and answer are cut into tokens apart from each other, as they are when the model is asked: the
 * end of the one and the beginning of the other may be one token in a text.
 */
export class AnswerDataset extends Dataset<PromptAndAnswer> {
  private readonly encoded: PromptAndAnswer[];

  /** @param tokeniser of whole texts: what a text begins with is put in front of the prompt */
  constructor(entries: readonly InstructionEntry[], tokeniser: Tokeniser) {
    super();
    const start = tokeniser.encode('').length;
    this.encoded = entries.map((entry) => ({
      prompt: tokeniser.encode(formatInput(entry)),
      answer: tokeniser.encode(formatResponse(entry)).slice(start),
    }));
  }

  get length(): number {
    return this.encoded.length;
  }

  get(position: number): PromptAndAnswer {
    return this.encoded[position];
  }
}

function ignoreAllButFirst(ids: number[], padTokenId: number, ignoreIndex: number): number[] {
  const first = ids.indexOf(padTokenId);
  return ids.map((id, i) => (id === padTokenId && i > first ? ignoreIndex : id));
}

/** The batches of section 7.3, from the first draft to the last, and what they do to the loss. */
export function showCollate(nb: Notebook): void {
  nb.print(32, `[${gpt2Tokeniser.encode(END_OF_TEXT, { allowedSpecial: [END_OF_TEXT] })}]`);
  const examples = [
    [0, 1, 2, 3, 4],
    [5, 6],
    [7, 8, 9],
  ];
  nb.print(36, customCollateDraft1(examples)); // [3, 5]
  for (const part of customCollateDraft2(examples)) nb.print(41, part); // inputs, targets: [3, 5]
  for (const part of customCollate(examples)) nb.print(46, part);

  // What −100 does to the loss: the third row counts in the second loss, and not in the third.
  const two = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
  ]);
  const three = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
    [-0.5, 1.5],
  ]);
  const loss1 = F.crossEntropy(two, tensor([0, 1], { dtype: 'int32' }));
  const loss2 = F.crossEntropy(three, tensor([0, 1, 1], { dtype: 'int32' }));
  const loss3 = F.crossEntropy(three, tensor([0, 1, -100], { dtype: 'int32' }));
  nb.print(48, loss1);
  nb.print(50, loss2);
  nb.print(52, loss3);
  nb.print(52, 'loss_1 == loss_3:', loss1.eq(loss3));
}
