import { nn, type Tensor } from '../../lib/index.ts';
import { END_OF_TEXT_ID } from '../chapter02/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { generate, textToTokenIds, tokenIdsToText } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatInput, RESPONSE_HEADING } from './02-preparing-the-dataset.ts';

/**
 * The model with its head at only the last position. Generation looks at no other, and the head, with its 50,257
 * outputs, is most of `mini`'s work. The logits that are left are the same: ids [b, t] → [b, 1, vocab].
 */
export class NextTokenModel extends nn.Module {
  readonly model: GPTModel;

  constructor(model: GPTModel) {
    super();
    this.model = model;
  }

  forward(ids: Tensor): Tensor {
    const x = this.model.trfBlocks.forward(this.model.embed(ids)); // [b, t] → [b, t, d]
    const last = this.model.finalNorm.forward(x.slice(1, -1)); // [b, 1, d]
    return this.model.outHead.forward(last); // [b, 1, vocab]
  }
}

/** What follows the prompt in a generated text, without the answer's heading. */
export function extractResponse(generated: string, prompt: string): string {
  return generated.slice(prompt.length).replaceAll(RESPONSE_HEADING, '').trim();
}

/** The model's answer to one entry: greedy, until `<|endoftext|>` or `maxNewTokens` tokens. */
export function respond(model: GPTModel, entry: InstructionEntry, maxNewTokens: number): string {
  const prompt = formatInput(entry);
  model.eval();
  const ids = generate(new NextTokenModel(model), textToTokenIds(prompt), {
    maxNewTokens,
    contextSize: model.config.contextLength,
    eosId: END_OF_TEXT_ID,
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
