import { manualSeed, nn } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';

/** What is trained; everything else is frozen. */
export type Method = 'head' | 'last-block' | 'lora' | 'full';

export const NUM_CLASSES = 2;

/** Puts a new head with two outputs, drawn from a seed, in the place of the one for 50,257 tokens. */
export function replaceHead(model: GPTModel, seed: number): void {
  manualSeed(seed);
  model.outHead = new nn.Linear(model.config.embDim, NUM_CLASSES);
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

/** Freezes everything and wraps every Linear, the new head included, with LoRA. */
export function wrapWithLoRA(model: GPTModel, options: nn.LoRAOptions): void {
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, options);
}
