import { join } from 'node:path';
import { manualSeed, optim } from '../../lib/index.ts';
import { loadTensors, saveTensors } from '../../lib/io/checkpoint.ts';
import { countParameters, type GPTConfig, GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { Progress } from '../common/progress.ts';
import { START, type TextLoaders } from './01-show-losses.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { type LossHistory, tokeniser, trainModelSimple } from './index.ts';

export interface TrainedModel {
  model: GPTModel;
  optimizer: optim.AdamW;
}

export interface Pretraining {
  config: GPTConfig;
  lr: number;
  /** Passes over the story. */
  numEpochs: number;
  /** Where the loss lines and samples go. */
  print: (line: string) => void;
}

/** Trains a new model on the story. */
export function pretrain(
  nb: Notebook,
  loaders: TextLoaders,
  { config, lr, numEpochs, print }: Pretraining,
): TrainedModel & { history: LossHistory } {
  manualSeed(123);
  const model = new GPTModel(config);
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.1 });
  const progress = new Progress('  pretraining', numEpochs * loaders.train.length);
  const start = performance.now();
  const history = trainModelSimple(model, loaders.train, loaders.val, optimizer, {
    numEpochs,
    evalFreq: 5,
    evalIter: 5,
    startContext: START,
    tokeniser,
    print,
    onStep: (step, loss) => progress.update(step + 1, `loss ${loss.toFixed(3)}`),
  });
  progress.stop();
  const seconds = (performance.now() - start) / 1000;
  nb.note(`${countParameters(model).toLocaleString('en')} parameters trained in ${seconds.toFixed(0)} s`);
  nb.figure('pretraining', { ...history, seconds });
  return { model, optimizer, history };
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

/** Saves the weights alone, then weights and optimiser, and takes both up again in new objects. */
export async function showSaving(
  nb: Notebook,
  { model, optimizer }: TrainedModel,
  folder: string,
): Promise<void> {
  const weights = join(folder, 'model.safetensors');
  await saveTensors(weights, model.stateDict());
  const reloaded = new GPTModel(model.config);
  reloaded.loadStateDict(loadTensors(weights));
  nb.note(`The weights are in ${weights}, read back into a new model`);

  const checkpoint = join(folder, 'model-and-optimizer.safetensors');
  await saveCheckpoint(checkpoint, model, optimizer);
  const continued = new GPTModel(model.config);
  const itsOptimizer = new optim.AdamW(continued.parameters(), { lr: 5e-4, weightDecay: 0.1 });
  loadCheckpoint(checkpoint, continued, itsOptimizer);
  nb.note(`Weights and optimiser are in ${checkpoint}: training can go on from there`);
}
