import { Template } from '@huggingface/jinja';
import { type Tensor, tensor, tidy, UserError } from '../../lib/index.ts';
import { KeyValueCache } from '../chapter04/index.ts';
import { keepTopK, softmaxWithTemperature } from '../chapter05/index.ts';
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

/** Continues ids token by token until `endId` comes. A cache that has seen the beginning of ids is used and filled. */
export function* continueIds(
  { model, endId }: Pick<LoadedLlama, 'model' | 'endId'>,
  ids: readonly number[],
  { maxNewTokens = 256, temperature = 0, topK }: AnswerOptions = {},
  cache = new KeyValueCache(),
): Generator<number> {
  let fresh = ids.slice(cache.length);
  if (fresh.length === 0) throw new UserError('there is nothing to continue: give at least one token');
  for (let i = 0; i < maxNewTokens; i++) {
    const next = tidy(() => {
      const logits = model.forwardLast(tensor([fresh], { dtype: 'int32' }), cache).select(1, 0); // [1, t] → [1, v]
      return choose(logits, temperature, topK);
    });
    cache.note(fresh);
    if (next === endId) return;
    yield next;
    fresh = [next];
  }
}

function choose(logits: Tensor, temperature: number, topK: number | undefined): number {
  if (temperature === 0) return logits.argmax(-1).item();
  const kept = topK === undefined ? logits : keepTopK(logits, topK);
  return softmaxWithTemperature(kept, temperature).multinomial(1).item();
}

/** The answer to one question, greedily unless a temperature is given. */
export async function chat(
  loaded: LoadedLlama,
  question: string,
  options: AnswerOptions = {},
): Promise<string> {
  const ids = chatToIds(loaded, [{ role: 'user', content: question }]);
  return loaded.tokeniser.decode([...continueIds(loaded, ids, options)]);
}
