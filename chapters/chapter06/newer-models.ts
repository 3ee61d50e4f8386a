import { nn, type Tensor, tensor, UserError } from '../../lib/index.ts';
import type { BaseModel, NewerModel } from '../chapter05/index.ts';
import { isGpt, type LanguageModel } from '../models/family.ts';
import type { Method } from './05-classification-head.ts';

/** Where a classifier from a model of another family differs from one from a GPT. */

/**
 * A Llama, or a model of its kind, that classifies as transformers' LlamaForSequenceClassification does: the head reads the last
 * token of the text, where the book reads the last position, padding or not. A token sees only what is left of it, so padding
 * changes nothing, and none of it is computed: the texts of a batch go through the model one behind another. Of a batch of 8
 * text messages padded to the longest, that leaves out half.
 */
export class LlamaClassifier extends nn.Module {
  model: NewerModel;
  readonly padTokenId: number;

  constructor(model: NewerModel, padTokenId: number) {
    super();
    this.model = model;
    this.padTokenId = padTokenId;
  }

  /** Token ids [b, t], padded on the right → logits [b, 1, classes]. */
  forward(ids: Tensor): Tensor {
    const texts = (ids.toArray() as number[][]).map((row) => withoutPadding(row, this.padTokenId));
    const lengths = texts.map((text) => text.length);
    const joined = tensor([texts.flat()], { dtype: 'int32' }); // [1, Σ lengths]
    const hidden = this.model.hiddenOfTexts(joined, lengths).squeeze(0); // [Σ lengths, d]
    const ends: number[] = [];
    for (const length of lengths) ends.push((ends.at(-1) ?? -1) + length);
    const last = hidden.indexSelect(0, ends); // [b, d]
    return this.model.outHead.forward(last.unsqueeze(1)); // [b, 1, d] → [b, 1, classes]
  }
}

/** The tokens up to the last one that is text; at least one, since the head has to read something. */
function withoutPadding(row: readonly number[], padTokenId: number): number[] {
  return row.slice(0, Math.max(1, row.findLastIndex((id) => id !== padTokenId) + 1));
}

/** What is asked for the class of a text: a GPT itself, or a newer model by its last token. */
export function classifierOf(model: LanguageModel, padTokenId: number): nn.Module {
  return isGpt(model) ? model : new LlamaClassifier(model, padTokenId);
}

/**
 * Which methods are used, one after the other: the book's and LoRA, unless another is chosen; of a newer model LoRA alone, since
 * its matrices stay as they are in their file.
 * @throws UserError if another method is chosen for a newer model
 */
export function methodsFor(
  base: Pick<BaseModel, 'isNewer' | 'name'>,
  choice: Method | 'all' | undefined,
): Method[] {
  if (base.isNewer) {
    if (choice === undefined || choice === 'lora') return ['lora'];
    throw new UserError(
      `--method ${choice} is for mini and GPT-2: ${base.name} is fine-tuned with --method lora, its default`,
    );
  }
  if (choice === undefined) return ['last-block', 'lora'];
  return choice === 'all' ? ['head', 'last-block', 'lora', 'full'] : [choice];
}
