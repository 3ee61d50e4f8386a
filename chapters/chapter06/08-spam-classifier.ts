import { type nn, noGrad, type Tensor, tensor, UserError } from '../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import { positionOfLargest } from '../common/largest.ts';
import type { Notebook } from '../common/notebook.ts';
import { classNames, type PreparedMessages } from './02-preparing-the-dataset.ts';
import { PAD_TOKEN_ID } from './03-data-loaders.ts';
import { EXAMPLES } from './04-pretrained-model.ts';
import type { FineTuneResult } from './07-fine-tuning.ts';
import { shortened } from './own-data.ts';

export interface ClassifyOptions {
  /** The length the model was fine-tuned with: the text is cut or padded to it. */
  maxLength: number;
  tokeniser?: Tokeniser;
  padTokenId?: number;
}

/**
 * What a fine-tuned model says of each text: logits [texts, classes].
 * @throws UserError if maxLength is not positive
 */
export function classLogits(texts: readonly string[], model: nn.Module, options: ClassifyOptions): Tensor {
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
  return noGrad(() => model.forward(input).select(1, -1)); // [b, t, classes] → [b, classes]
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
  return classLogits(texts, model, options).softmax(-1).toArray() as number[][];
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

/** Classes of which an example is shown. */
const MOST_EXAMPLES = 8;

/** A text of each class from the test part, where the data are the user's own: what the model says, and what it is. */
export function showOwnClassifier(
  nb: Notebook,
  { classifier, method }: FineTuneResult,
  prepared: PreparedMessages,
  options: ClassifyOptions,
): void {
  nb.note(`(the model fine-tuned with ${method})`);
  const labels = classNames(prepared);
  const examples = labels.map((_, i) => prepared.parts.test.find(({ label }) => label === i));
  for (const example of examples.slice(0, MOST_EXAMPLES)) {
    if (!example) continue;
    const { text, label } = example;
    const [probabilities] = classProbabilities([text], classifier, options);
    const best = positionOfLargest(probabilities);
    nb.note(`“${shortened(text)}”`);
    nb.note(`${labels[best]} (${(100 * probabilities[best]).toFixed(1)}%); it is ${labels[label]}`);
  }
}

/** Two messages that are in no part. */
export function showClassifier(
  nb: Notebook,
  { classifier, method }: FineTuneResult,
  options: ClassifyOptions,
): void {
  nb.note(`(the model fine-tuned with ${method})`);
  for (const [cell, text] of [
    [112, EXAMPLES.spam],
    [113, EXAMPLES.ham],
  ] as const) {
    const probability = spamProbability(text, classifier, options);
    nb.note(`“${text}”`);
    nb.print(cell, classifyReview(text, classifier, options));
    nb.note(`(spam with a probability of ${(100 * probability).toFixed(1)}%)`);
  }
}
