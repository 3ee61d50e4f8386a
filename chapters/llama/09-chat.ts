import { Template } from '@huggingface/jinja';
import { tensor, UserError } from '../../lib/index.ts';
import { KeyValueCache } from '../chapter04/index.ts';
import { generateSteps } from '../chapter05/index.ts';
import type { LoadedLlama } from './07-gguf.ts';
import type { BpeTokeniser } from './model/06-tokeniser.ts';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * A chat as one text, in the form that the model was trained on: each message between special tokens, and an open one
 * for the answer. The template is the file's own.
 *
 * What somebody wrote is never read as a special token, or a message could pretend to be the system: the template is
 * filled with placeholders, cut at its special tokens, and only then do the messages take their places.
 */
export function chatToIds(
  { tokeniser, chatTemplate }: Pick<LoadedLlama, 'tokeniser' | 'chatTemplate'>,
  messages: readonly Message[],
): number[] {
  const placeholder = (i: number) => `\uE000${i}\uE001`;
  const withPlaceholders = messages.map(({ role }, i) => ({ role, content: placeholder(i) }));
  const filled = new Template(chatTemplate).render({
    messages: withPlaceholders,
    add_generation_prompt: true,
  });
  return splitAtSpecial(filled, tokeniser).flatMap((part) => {
    const id = tokeniser.special.get(part);
    if (id !== undefined) return [id];
    return tokeniser.encode(part.replace(/\uE000(\d+)\uE001/g, (_, i) => messages[Number(i)].content));
  });
}

function splitAtSpecial(text: string, tokeniser: BpeTokeniser): string[] {
  const names = [...tokeniser.special.keys()].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.split(new RegExp(`(${names.join('|')})`)).filter((part) => part !== '');
}

export interface AnswerOptions {
  /** 256. */
  maxNewTokens?: number;
  /** 0, the default, takes the most likely token each time; above it, draws: the higher, the more evenly. */
  temperature?: number;
  /** Draws among the k most likely tokens only. */
  topK?: number;
}

/**
 * The ids of an answer to a conversation, as they come: chapter 5's generation, until the id that ends an answer or the
 * context is full. A cache that has read the beginning of the conversation reads on.
 *
 * @throws UserError if the conversation alone fills the context
 */
export function* answerSteps(
  { model, endId }: Pick<LoadedLlama, 'model' | 'endId'>,
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
    ...{ maxNewTokens: Math.min(maxNewTokens, room), contextSize, eosId: endId },
    ...{ temperature, topK, cache },
  });
  for (const next of steps) yield next.item();
}

/** The answer to one question, greedily unless a temperature is given. */
export async function chat(
  loaded: LoadedLlama,
  question: string,
  options: AnswerOptions = {},
): Promise<string> {
  const ids = chatToIds(loaded, [{ role: 'user', content: question }]);
  return loaded.tokeniser.decode([...answerSteps(loaded, ids, options)]);
}
