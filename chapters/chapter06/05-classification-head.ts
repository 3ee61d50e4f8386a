import { manualSeed, nn, noGrad, tensor, UserError } from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { showModules } from '../common/module-tree.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';

/** What is trained; everything else is frozen. */
export type Method = 'head' | 'last-block' | 'lora' | 'full';

export const NUM_CLASSES = 2;

/** Puts a new head with an output for each class, drawn from a seed, in place of the one for 50,257 tokens. */
export function replaceHead(model: GPTModel, seed: number, classes = NUM_CLASSES): void {
  manualSeed(seed);
  model.outHead = new nn.Linear(model.config.embDim, classes);
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

/** Freezes everything and wraps every Linear, the new head included, with LoRA. */
export function wrapWithLoRA(model: GPTModel, options: nn.LoRAOptions): void {
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, options);
}

/** Freezes what a method leaves alone. Returns how many numbers it trains. */
export function prepareForMethod(model: GPTModel, method: Method, lora: nn.LoRAOptions): number {
  if (method === 'lora') wrapWithLoRA(model, lora);
  else chooseTrainable(model, method);
  return countParameters(model, { trainableOnly: true });
}

/** The model with its old head, and what the new one answers: a number for each class and token. */
export function showHead(
  nb: Notebook,
  model: GPTModel,
  { seed, modules, classes = NUM_CLASSES }: { seed: number; modules?: boolean; classes?: number },
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
