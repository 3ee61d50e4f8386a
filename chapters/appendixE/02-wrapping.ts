import { nn } from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';

/** Freezes the model, wraps every Linear, and prints what is trainable before, between and after, and the modules. */
export function freezeAndWrap(nb: Notebook, model: GPTModel, options: nn.LoRAOptions): void {
  const trainable = () => countParameters(model, { trainableOnly: true });
  const before = trainable();
  nb.print(37, `Total trainable parameters before: ${before.toLocaleString('en')}`);
  model.requiresGrad_(false);
  const frozen = trainable();
  nb.print(37, `Total trainable parameters after: ${frozen.toLocaleString('en')}`);
  nn.replaceLinearWithLoRA(model, options);
  const lora = trainable();
  nb.print(38, `Total trainable LoRA parameters: ${lora.toLocaleString('en')}`);
  nb.print(40, model);
  nb.figure('trainable', { before, frozen, lora });
}
