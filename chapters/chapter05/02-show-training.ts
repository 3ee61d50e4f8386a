import { join } from 'node:path';
import { manualSeed, optim } from '../../lib/index.ts';
import { loadTensors, saveTensors } from '../../lib/io/checkpoint.ts';
import { countParameters, type GPTConfig, GPTModel } from '../chapter04/index.ts';
import { findCheckpoint } from '../common/checkpoint.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { runTraining, type SavingOptions } from '../common/training-run.ts';
import { START, type TextLoaders } from './01-show-losses.ts';
import { emptyLossHistory, type LossHistory, tokeniser, trainModelSteps } from './index.ts';

export interface TrainedModel {
  model: GPTModel;
  history: LossHistory;
}

export interface Pretraining {
  config: GPTConfig;
  lr: number;
  /** Passes over the story. */
  numEpochs: number;
  /** Where the loss lines and samples go. */
  print: (line: string) => void;
  /** Where the checkpoints go, and what a run has to have in common with them to go on from there. */
  folder: string;
  options: SavingOptions;
  facts: Record<string, string>;
}

/** Trains a new model on the story. */
export async function pretrain(
  nb: Notebook,
  loaders: TextLoaders,
  { config, lr, numEpochs, print, ...saving }: Pretraining,
): Promise<TrainedModel> {
  manualSeed(123);
  const model = new GPTModel(config);
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.1 });
  const options = { numEpochs, evalFreq: 5, evalIter: 5, startContext: START, tokeniser, print };
  const start = performance.now();
  const history = await runTraining(
    {
      ...saving,
      label: 'pretraining',
      model,
      optimizer,
      totalSteps: numEpochs * loaders.train.length,
      history: emptyLossHistory(),
      print: (line) => nb.note(line),
    },
    (place) => trainModelSteps(model, loaders.train, loaders.val, optimizer, options, place),
  );
  const seconds = (performance.now() - start) / 1000;
  nb.note(`${countParameters(model).toLocaleString('en')} parameters trained in ${seconds.toFixed(0)} s`);
  nb.figure('pretraining', { ...history, seconds });
  return { model, history };
}

/** Both losses over the tokens seen. Where the lower one goes on falling and the upper does not, it is learning by heart. */
export async function plotLosses(path: string, history: LossHistory): Promise<void> {
  const curve = (name: string, losses: readonly number[]) => ({
    name,
    points: losses.map((y, i) => ({ x: history.tokensSeen[i], y })),
  });
  const curves = [curve('training', history.trainLosses), curve('validation', history.valLosses)];
  await plotCurves(path, curves, { title: 'Pretraining on a short story', x: 'tokens seen', y: 'loss' });
}

/**
 * Saves the weights alone and reads them into a new model. To train on, the optimiser's memory is needed as well: it is
 * in the checkpoints that training has written, which are taken up here by another model and its optimiser.
 */
export async function showSaving(nb: Notebook, model: GPTModel, folder: string): Promise<void> {
  const weights = join(folder, 'model.safetensors');
  await saveTensors(weights, model.stateDict());
  const reloaded = new GPTModel(model.config);
  reloaded.loadStateDict(loadTensors(weights));
  nb.note(`The weights are in ${weights}, read back into a new model`);

  const continued = new GPTModel(model.config);
  const itsOptimizer = new optim.AdamW(continued.parameters(), { lr: 5e-4, weightDecay: 0.1 });
  const checkpoint = findCheckpoint(folder, (line) => nb.note(line));
  checkpoint?.restore({ model: continued, optimizer: itsOptimizer });
  nb.note(`Weights and optimiser are in the checkpoint beside it: training could go on from there`);
}
