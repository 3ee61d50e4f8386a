import { type nn, noGrad, tensor, UserError } from '../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import { PAD_TOKEN_ID } from './01-dataset.ts';

export interface ClassifyOptions {
  /** The length the model was fine-tuned with: the text is cut or filled up to it. */
  maxLength: number;
  tokeniser?: Tokeniser;
  padTokenId?: number;
}

/** Is a text spam, in the eyes of a fine-tuned model? @throws UserError if maxLength is not positive */
export function classifyReview(
  text: string,
  model: nn.Module,
  options: ClassifyOptions,
): 'spam' | 'not spam' {
  const { maxLength, tokeniser = gpt2Tokeniser, padTokenId = PAD_TOKEN_ID } = options;
  if (!(maxLength > 0))
    throw new UserError(`maxLength has to be a positive number of tokens, not ${maxLength}`);
  model.eval();
  const ids = tokeniser.encode(text).slice(0, maxLength);
  while (ids.length < maxLength) ids.push(padTokenId);
  const input = tensor(ids, { dtype: 'int32' }).unsqueeze(0); // [t] → [1, t]
  const logits = noGrad(() => model.forward(input).select(1, -1)); // [1, t, 2] → [1, 2]
  return logits.argmax(-1).item() === 1 ? 'spam' : 'not spam';
}
