/** The answers of a classifier about a message, with its adapter's update in full, weaker, or left out. */

import { tokeniser } from '../../../chapters/chapter02/index.ts';
import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { noGrad, tensor, yieldToRuntime } from '../../../lib/index.ts';
import { dosed } from './dose.ts';
import type { Answer, Dose } from './lab-messages.ts';

/** `<|endoftext|>`, as in chapter 6, whose data loaders the start page does without. */
const PAD_TOKEN_ID = 50256;

export interface Classifier {
  model: GPTModel;
  /** Tokens that every message is cut or padded to. */
  maxLength: number;
}

export function classify(classifier: Classifier, { text, ...dose }: { text: string } & Dose): Answer {
  return {
    probability: probabilityOf(classifier, text, dose),
    before: probabilityOf(classifier, text, { strength: 0 }),
  };
}

function probabilityOf(classifier: Classifier, text: string, dose: Dose): number {
  return dosed(classifier.model, dose, () => spamProbability(classifier, tokeniser.encode(text)));
}

/** Chapter 6's `spamProbability`, of tokens: the softmax of two logits. */
function spamProbability(classifier: Classifier, ids: readonly number[]): number {
  const [ham, spam] = logits(classifier, ids);
  return 1 / (1 + Math.exp(ham - spam));
}

/** How the probability changes when a token is left out, for each token. */
export async function influence(
  classifier: Classifier,
  { text, ...dose }: { text: string } & Dose,
): Promise<{ text: string; change: number }[]> {
  const ids = tokeniser.encode(text).slice(0, classifier.maxLength);
  const whole = probabilityOf(classifier, text, dose);
  const tokens: { text: string; change: number }[] = [];
  for (let i = 0; i < ids.length; i++) {
    const rest = ids.filter((_, at) => at !== i);
    const without = dosed(classifier.model, dose, () => spamProbability(classifier, rest));
    tokens.push({ text: tokeniser.decode([ids[i]]), change: whole - without });
    await yieldToRuntime();
  }
  return tokens;
}

/** The two logits of a message, padded as in training. */
export function logits({ model, maxLength }: Classifier, ids: readonly number[]): number[] {
  const padded = Array.from({ length: maxLength }, (_, i) => ids[i] ?? PAD_TOKEN_ID);
  model.eval();
  return noGrad(() => model.forward(tensor([padded], { dtype: 'int32' })).index(0, -1)).toArray() as number[];
}
