import { manualSeed, nn, noGrad, tensor, UserError } from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { tokeniser as gpt2Tokeniser, type NewerModel, type Tokeniser } from '../chapter05/index.ts';
import { showModules } from '../common/module-tree.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { LORA_TARGETS } from '../llama/model/hub-layout.ts';
import { isGpt, type LanguageModel } from '../models/family.ts';

/** What is trained; everything else is frozen. */
export type Method = 'head' | 'last-block' | 'lora' | 'full';

export const NUM_CLASSES = 2;

/**
 * Puts a new head with an output for each class, drawn from a seed, in place of the one for all tokens. That of a newer model
 * has no bias, as transformers' has none.
 */
export function replaceHead(model: LanguageModel, seed: number, classes = NUM_CLASSES): void {
  manualSeed(seed);
  model.outHead = new nn.Linear(model.config.embDim, classes, { bias: isGpt(model) });
}

/** Freezes all but the new head and, for `last-block`, the last transformer block and the last norm. */
export function chooseTrainable(model: GPTModel, method: Exclude<Method, 'lora'>): void {
  model.requiresGrad_(method === 'full');
  model.outHead.requiresGrad_(true);
  if (method === 'last-block') {
    model.trfBlocks.at(-1).requiresGrad_(true);
    model.finalNorm.requiresGrad_(true);
  }
}

/**
 * @param embDim the model's width: every matrix has it as one of its two sides
 * @throws UserError if the rank is above that of every matrix: A B could not be more than W itself is
 */
export function checkRank(embDim: number, rank: number): void {
  if (rank <= embDim) return;
  throw new UserError(
    `--rank ${rank} is above the rank of every matrix of the model: give at most ${embDim}`,
  );
}

/**
 * Freezes everything and wraps every Linear, the new head included, with LoRA. Of a newer model the new head is trained as it
 * is, and LoRA is put beside the Linears of the blocks, as PEFT does.
 */
export function wrapWithLoRA(model: LanguageModel, options: nn.LoRAOptions): void {
  model.requiresGrad_(false);
  if (isGpt(model)) nn.replaceLinearWithLoRA(model, options);
  else {
    model.outHead.requiresGrad_(true);
    wrapBlocksWithLoRA(model, options);
  }
}

/**
 * LoRA beside every Linear of the blocks, drawn as PEFT draws it. The matrices may be blocks of few bits: they are never
 * written, and LoRA beside them is QLoRA (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314).
 */
export function wrapBlocksWithLoRA(
  model: NewerModel,
  { rank, alpha }: Pick<nn.LoRAOptions, 'rank' | 'alpha'>,
): void {
  nn.replaceLinearWithLoRA(model, { rank, alpha, init: 'peft', targets: LORA_TARGETS });
}

/** Freezes what a method leaves alone. Returns how many numbers it trains. */
export function prepareForMethod(model: LanguageModel, method: Method, lora: nn.LoRAOptions): number {
  if (method === 'lora') wrapWithLoRA(model, lora);
  else if (isGpt(model)) chooseTrainable(model, method);
  return countParameters(model, { trainableOnly: true });
}

/** The model with its old head, and what the new one answers: a number for each class and token. */
export function showHead(
  nb: Notebook,
  model: LanguageModel,
  {
    seed,
    modules,
    classes = NUM_CLASSES,
    tokeniser = gpt2Tokeniser,
  }: { seed: number; modules?: boolean; classes?: number; tokeniser?: Tokeniser },
): void {
  showModules(nb, 53, model, modules);
  replaceHead(model, seed, classes);
  const inputs = tensor([tokeniser.encode('Do you have time')], { dtype: 'int32' }); // [1, 4]
  nb.print(62, `Inputs: ${inputs}`);
  nb.print(62, `Inputs dimensions: ${torchSize(inputs.shape)}`);
  const outputs = noGrad(() => model.forward(inputs)); // [1, 4] → [1, 4, 2]
  nb.print(64, `Outputs:\n ${outputs}`);
  nb.print(64, `Outputs dimensions: ${torchSize(outputs.shape)}`);
  nb.print(68, `Last output token: ${outputs.select(1, -1)}`); // [1, 2]
}
