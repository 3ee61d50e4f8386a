import { END_OF_TEXT, END_OF_TEXT_ID } from '../chapter02/index.ts';
import { countParameters } from '../chapter04/index.ts';
import { continued, tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import type { LanguageModel } from '../models/index.ts';
import { formatInput, RESPONSE_HEADING } from './02-preparing-the-dataset.ts';

/** What follows the prompt in a generated text, without the answer's heading. */
export function extractResponse(generated: string, prompt: string): string {
  return generated.slice(prompt.length).replaceAll(RESPONSE_HEADING, '').trim();
}

/** A model's own tokens, and those that end an answer. */
export interface Tokens {
  tokeniser: Tokeniser;
  endIds: readonly number[];
}

const GPT2_TOKENS: Tokens = {
  tokeniser: {
    ...gpt2Tokeniser,
    encode: (text) => gpt2Tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] }),
  },
  endIds: [END_OF_TEXT_ID],
};

/** The model's answer to one entry: greedy, until `<|endoftext|>` or `maxNewTokens` tokens. */
export function respond(
  model: LanguageModel,
  entry: InstructionEntry,
  maxNewTokens: number,
  tokens = GPT2_TOKENS,
): string {
  const prompt = formatInput(entry);
  model.eval();
  return extractResponse(continued(model, tokens, prompt, maxNewTokens), prompt);
}

/** What the model makes of an instruction before it is fine-tuned: it continues the text. */
export function showPretrainedModel(
  nb: Notebook,
  model: LanguageModel,
  entry: InstructionEntry,
  { name, maxNewTokens, tokens }: { name: string; maxNewTokens: number; tokens?: Tokens },
): void {
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  nb.print(77, formatInput(entry));
  nb.print(80, respond(model, entry, Math.min(35, maxNewTokens), tokens));
}
