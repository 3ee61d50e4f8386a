import { join } from 'node:path';
import { io, optim } from '../../lib/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';

/**
 * Saves the weights alone and reads them into a new model. To train on, the optimiser's memory is needed as well: it is
 * in the checkpoints that training has written, which another model and its optimiser read here.
 */
export async function showSaving(nb: Notebook, model: GPTModel, folder: string): Promise<void> {
  const weights = join(folder, 'model.safetensors');
  await io.saveTensors(weights, model.stateDict());
  const reloaded = new GPTModel(model.config);
  reloaded.loadStateDict(io.loadTensors(weights));
  nb.note(`The weights are in ${weights}, read back into a new model`);

  const continued = new GPTModel(model.config);
  const itsOptimizer = new optim.AdamW(continued.parameters(), { lr: 5e-4, weightDecay: 0.1 });
  const checkpoint = io.findCheckpoint(folder, (line) => nb.note(line));
  checkpoint?.restore({ model: continued, optimizer: itsOptimizer });
  nb.note(`Weights and optimiser are in the checkpoint beside it: training could go on from there`);
}
