import { END_OF_TEXT_ID } from '../chapter02/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { generate, textToTokenIds, tokenIdsToText } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatInput, RESPONSE_HEADING } from './02-preparing-the-dataset.ts';

/** What follows the prompt in a generated text, without the answer's heading. */
export function extractResponse(generated: string, prompt: string): string {
  return generated.slice(prompt.length).replaceAll(RESPONSE_HEADING, '').trim();
}

/** The model's answer to one entry: greedy, until `<|endoftext|>` or `maxNewTokens` tokens. */
export function respond(model: GPTModel, entry: InstructionEntry, maxNewTokens: number): string {
  const prompt = formatInput(entry);
  model.eval();
  const ids = generate(model, textToTokenIds(prompt), {
    maxNewTokens,
    contextSize: model.config.contextLength,
    eosId: END_OF_TEXT_ID,
    cache: true,
  });
  return extractResponse(tokenIdsToText(ids), prompt);
}

/** What the model makes of an instruction before it is fine-tuned: it continues the text. */
export function showPretrainedModel(
  nb: Notebook,
  model: GPTModel,
  entry: InstructionEntry,
  { name, maxNewTokens }: { name: string; maxNewTokens: number },
): void {
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  nb.print(77, formatInput(entry));
  nb.print(80, respond(model, entry, Math.min(35, maxNewTokens)));
}
