import type { nn } from '../../lib/index.ts';
import { loadTensors, saveTensors } from '../../lib/io/checkpoint.ts';

/**
 * A model's state is its parameters by name; the code is not part of it. It is kept as safetensors, a format that
 * Python reads as well (`safetensors.torch.load_file`).
 */
export async function saveModel(model: nn.Module, path: string): Promise<void> {
  await saveTensors(path, model.stateDict());
}

/** Into a model of the same shape. @throws UserError that names every key or shape that does not fit */
export function loadModel(model: nn.Module, path: string): void {
  model.loadStateDict(loadTensors(path));
}
