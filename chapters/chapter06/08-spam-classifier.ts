import { type nn, noGrad, tensor, UserError } from '../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { classNames, type PreparedMessages } from './02-preparing-the-dataset.ts';
import { PAD_TOKEN_ID } from './03-data-loaders.ts';
import { EXAMPLES } from './04-pretrained-model.ts';
import type { FineTuneResult } from './07-fine-tuning.ts';

export interface ClassifyOptions {
  /** The length the model was fine-tuned with: the text is cut or padded to it. */
  maxLength: number;
  tokeniser?: Tokeniser;
  padTokenId?: number;
}

/**
 * How probable a fine-tuned model finds each class for each text: probabilities [texts][classes].
 * @throws UserError if maxLength is not positive
 */
export function classProbabilities(
  texts: readonly string[],
  model: nn.Module,
  options: ClassifyOptions,
): number[][] {
  const { maxLength, tokeniser = gpt2Tokeniser, padTokenId = PAD_TOKEN_ID } = options;
  if (!(maxLength > 0)) {
    throw new UserError(`maxLength has to be a positive number of tokens, not ${maxLength}`);
  }
  model.eval();
  const rows = texts.map((text) => {
    const ids = tokeniser.encode(text).slice(0, maxLength);
    while (ids.length < maxLength) ids.push(padTokenId);
    return ids;
  });
  const input = tensor(rows, { dtype: 'int32' }); // [b, t]
  const logits = noGrad(() => model.forward(input).select(1, -1)); // [b, t, classes] → [b, classes]
  return logits.softmax(-1).toArray() as number[][];
}

/**
 * How probable a fine-tuned model finds it that a text is spam, from 0 to 1.
 * @throws UserError if maxLength is not positive
 */
export function spamProbability(text: string, model: nn.Module, options: ClassifyOptions): number {
  return classProbabilities([text], model, options)[0][1];
}

/** Is a text spam, in the eyes of a fine-tuned model? @throws UserError if maxLength is not positive */
export function classifyReview(
  text: string,
  model: nn.Module,
  options: ClassifyOptions,
): 'spam' | 'not spam' {
  return spamProbability(text, model, options) > 0.5 ? 'spam' : 'not spam';
}

/** The first texts of the test part, where the data are the user's own: what the model says, and what they are. */
export function showOwnClassifier(
  nb: Notebook,
  { classifier, method }: FineTuneResult,
  prepared: PreparedMessages,
  maxLength: number,
): void {
  nb.note(`(the model fine-tuned with ${method})`);
  const labels = classNames(prepared);
  for (const { text, label } of prepared.parts.test.slice(0, 3)) {
    const [probabilities] = classProbabilities([text], classifier, { maxLength });
    const best = probabilities.indexOf(Math.max(...probabilities));
    const line = text.replaceAll(/\s+/g, ' ');
    nb.note(`“${line.length > 100 ? `${line.slice(0, 100)}…` : line}”`);
    nb.note(`${labels[best]} (${(100 * probabilities[best]).toFixed(1)}%); it is ${labels[label]}`);
  }
}

/** Two messages that are in no part. */
export function showClassifier(
  nb: Notebook,
  { classifier, method }: FineTuneResult,
  maxLength: number,
): void {
  nb.note(`(the model fine-tuned with ${method})`);
  for (const [cell, text] of [
    [112, EXAMPLES.spam],
    [113, EXAMPLES.ham],
  ] as const) {
    const probability = spamProbability(text, classifier, { maxLength });
    nb.note(`“${text}”`);
    nb.print(cell, classifyReview(text, classifier, { maxLength }));
    nb.note(`(spam with a probability of ${(100 * probability).toFixed(1)}%)`);
  }
}
