import { tensor, UserError } from '../../lib/index.ts';
import { KeyValueCache } from '../chapter04/index.ts';
import { generateSteps } from '../chapter05/index.ts';
import { chatToIds, type LoadedModel } from '../models/index.ts';

export interface AnswerOptions {
  /** 256. */
  maxNewTokens?: number;
  /** 0, the default, takes the most likely token each time; above it, draws: the higher, the more evenly. */
  temperature?: number;
  /** Draws among the k most likely tokens only. */
  topK?: number;
}

/**
 * The ids of an answer to a conversation, as they come: chapter 5's generation, until an id that ends an answer or the
 * context is full. A cache that has read the beginning of the conversation reads on.
 *
 * @throws UserError if the conversation alone fills the context
 */
export function* answerSteps(
  { model, endIds }: Pick<LoadedModel, 'model' | 'endIds'>,
  ids: readonly number[],
  { maxNewTokens = 256, ...decoding }: AnswerOptions = {},
  cache = new KeyValueCache(),
): Generator<number> {
  const contextSize = model.config.contextLength;
  const room = contextSize - ids.length;
  if (room <= 0) {
    throw new UserError(
      `the conversation has ${ids.length} tokens, and the model sees at most ${contextSize}: begin a new one`,
    );
  }
  const { temperature, topK } = decoding;
  const steps = generateSteps(model, tensor([ids], { dtype: 'int32' }), {
    ...{ maxNewTokens: Math.min(maxNewTokens, room), contextSize, eosId: endIds },
    ...{ temperature, topK, cache },
  });
  for (const next of steps) yield next.item();
}

/**
 * The answer to one question: a conversation of one message, as the text that the model was trained on (`chatToIds`), and
 * what follows it; greedily unless a temperature is given.
 */
export async function chat(
  loaded: LoadedModel,
  question: string,
  options: AnswerOptions = {},
): Promise<string> {
  const ids = chatToIds(loaded, [{ role: 'user', content: question }]);
  return loaded.tokeniser.decode([...answerSteps(loaded, ids, options)]);
}
