import { io, type nn } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { NeuralNetwork } from './05-network.ts';
import { testPoints } from './06-data-loaders.ts';

/**
 * A model's state is its parameters by name; the code is not part of it. It is kept as safetensors, a format that
 * Python reads as well (`safetensors.torch.load_file`).
 */
export async function saveModel(model: nn.Module, path: string): Promise<void> {
  await io.saveTensors(path, model.stateDict());
}

/** Into a model of the same shape. @throws UserError that names every key or shape that does not fit */
export function loadModel(model: nn.Module, path: string): void {
  model.loadStateDict(io.loadTensors(path));
}

/** A model saved, and loaded into a new one. */
export async function showSaving(nb: Notebook, model: NeuralNetwork, path: string): Promise<void> {
  await saveModel(model, path);
  const restored = new NeuralNetwork(2, 2);
  loadModel(restored, path);
  const same = restored.forward(testPoints).sub(model.forward(testPoints)).abs().max().item() === 0;
  nb.note(`Saved as ${path} and loaded again: the outputs are ${same ? 'the same' : 'OTHERS'}`);
  nb.print(68, '<All keys matched successfully>');
}
