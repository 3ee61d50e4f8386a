import type { nn, optim, Tensor } from '../../lib/index.ts';
import { loadTensors, saveTensors } from '../../lib/io/checkpoint.ts';

/**
 * All that training needs to go on: the weights, and what AdamW remembers of earlier gradients, in one file under
 * the prefixes `model.` and `optimizer.`.
 */
export async function saveCheckpoint(path: string, model: nn.Module, optimizer: optim.AdamW): Promise<void> {
  await saveTensors(path, {
    ...withPrefix('model.', model.stateDict()),
    ...withPrefix('optimizer.', optimizer.stateDict()),
  });
}

/**
 * Fills a model and its optimiser from such a file. The learning rate stays the optimiser's own.
 * @throws UserError if the file is missing or damaged, or of another model
 */
export function loadCheckpoint(path: string, model: nn.Module, optimizer: optim.AdamW): void {
  const saved = loadTensors(path, 'the checkpoint');
  model.loadStateDict(withoutPrefix('model.', saved));
  optimizer.loadStateDict(withoutPrefix('optimizer.', saved));
}

function withPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function withoutPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
