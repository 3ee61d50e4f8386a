import { cat, type Tensor, UserError } from '../../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../../chapter05/index.ts';
import { classifierOf, classLogits, PAD_TOKEN_ID } from '../../chapter06/index.ts';
import type { LoadedClassifier } from './base-model.ts';

/** How a classifier is asked about texts. */
export interface Asking {
  /** The names of its classes. */
  labels: readonly string[];
  /** Some texts → their logits [texts, classes]. */
  logitsOf(texts: readonly string[]): Tensor;
}

/**
 * A loaded classifier, ready to be asked.
 * @param given names of the classes, in place of its own
 * @throws UserError if it is not a classifier, or there are not as many labels as classes
 */
export function askingOf(loaded: LoadedClassifier, given?: readonly string[]): Asking {
  const { model, folder, settings } = loaded;
  const newer = 'tokeniser' in loaded ? loaded : undefined;
  const tokeniser = newer?.tokeniser ?? gpt2Tokeniser;
  const { outHead, config } = model;
  const { outFeatures: classes } = outHead;
  const { contextLength, vocabSize } = config;
  if (classes === vocabSize) {
    throw new UserError(`the adapter in ${folder} is not a classifier's: use npm run generate -- --adapter`);
  }
  const labels = given ?? settings?.labels ?? Array.from({ length: classes }, (_, i) => `LABEL_${i}`);
  if (labels.length !== classes)
    throw new UserError(
      `the classifier in ${folder} has ${classes} classes, not ${labels.length}: ${labels}`,
    );
  if (settings && settings.maxLength > contextLength) {
    throw new UserError(
      `${folder}: its messages have ${settings.maxLength} tokens, but the model sees at most ${contextLength}`,
    );
  }
  if (settings && settings.padTokenId >= vocabSize) {
    throw new UserError(
      `${folder}: its messages are filled up with token ${settings.padTokenId}, but the model has ${vocabSize} tokens`,
    );
  }
  const padTokenId = settings?.padTokenId ?? newer?.padTokenId;
  const classifier = classifierOf(model, padTokenId ?? PAD_TOKEN_ID);
  return {
    labels,
    logitsOf(texts) {
      if (settings) return classLogits(texts, classifier, { ...settings, tokeniser });
      const each = texts.map((text) => {
        const maxLength = ownLength(text, tokeniser, contextLength);
        return classLogits([text], classifier, { maxLength, tokeniser, padTokenId }); // [1, classes]
      });
      return cat(each, 0);
    },
  };
}

/** Nothing is padded, so the last position is that of the last token, where transformers reads the answer too. */
function ownLength(text: string, tokeniser: Tokeniser, contextLength: number): number {
  return Math.max(1, Math.min(contextLength, tokeniser.encode(text).length));
}
