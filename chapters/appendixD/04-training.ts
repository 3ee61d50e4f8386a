import { join } from 'node:path';
import { manualSeed, optim } from '../../lib/index.ts';
import { countParameters, type GPTConfig, GPTModel } from '../chapter04/index.ts';
import {
  type Batches,
  calcLossBatch,
  evaluateModel,
  generateAndPrintSample,
  type LossHistory,
  plotLosses,
  type Tokeniser,
  tokeniser,
} from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { onData } from '../common/plot.ts';
import { runToEnd, runTraining, TrainingPlace } from '../common/training.ts';
import { GPT_124M, plotRates, type ShownWarmup } from './01-warmup.ts';
import { cosineLearningRate } from './02-cosine-decay.ts';
import { clipGradients } from './03-clipping.ts';
import type { ScheduleRunOptions } from './options.ts';

export interface TrainingOptions {
  numEpochs: number;
  /** Steps between two measurements of the losses. */
  evalFreq: number;
  /** Batches of each set that a measurement takes. */
  evalIter: number;
  startContext: string;
  tokeniser: Tokeniser;
  warmupSteps: number;
  initialLr?: number;
  minLr?: number;
  /** The first epoch, counted from 1, after which the model writes a sample; 1. */
  sampleFrom?: number;
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface TrainingHistory extends LossHistory {
  /** The learning rate of every step. */
  learningRates: number[];
}

export function emptyTrainingHistory(): TrainingHistory {
  return { trainLosses: [], valLosses: [], tokensSeen: [], learningRates: [] };
}

/**
 * Chapter 5's loop with the three additions: the learning rate is set before each step, rising to the optimiser's
 * own (the peak) and then falling, and after the warm-up the gradients are clipped to a norm of 1.
 */
export function* trainModelSteps(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: TrainingOptions,
  place = new TrainingPlace(emptyTrainingHistory()),
): Generator<number, TrainingHistory> {
  const { numEpochs, evalFreq, evalIter, warmupSteps, sampleFrom = 1 } = options;
  const { initialLr = 3e-5, minLr = 1e-6 } = options;
  const peakLr = optimizer.lr;
  const schedule = { initialLr, peakLr, minLr, warmupSteps, totalSteps: trainLoader.length * numEpochs };
  const { history } = place;
  const print = place.printer(options.print ?? console.log);
  for (const epoch of place.epochs(numEpochs)) {
    model.train();
    for (const [inputs, targets] of place.batches(trainLoader)) {
      const { step } = place;
      optimizer.zeroGrad();
      optimizer.lr = cosineLearningRate(step, schedule);
      history.learningRates.push(optimizer.lr);
      const loss = calcLossBatch(inputs, targets, model);
      loss.backward();
      if (step >= warmupSteps) clipGradients(model);
      optimizer.step();
      place.seen += inputs.size;
      if (step % evalFreq === 0) {
        const [trainLoss, valLoss] = evaluateModel(model, trainLoader, valLoader, evalIter);
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        history.tokensSeen.push(place.seen);
        const at = String(step).padStart(6, '0');
        print(`Ep ${epoch} (Iter ${at}): Train loss ${trainLoss.toFixed(3)}, Val loss ${valLoss.toFixed(3)}`);
      }
      yield loss.item();
    }
    if (epoch >= sampleFrom) {
      generateAndPrintSample(model, options.tokeniser, options.startContext, print);
    }
  }
  return history;
}

/** The same in the book's form: from the first step to the last. */
export function trainModel(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: TrainingOptions,
): TrainingHistory {
  return runToEnd(trainModelSteps(model, trainLoader, valLoader, optimizer, options), options.onStep);
}

/** What is trained without --slow, to see the schedule at work. */
const SMALL: GPTConfig = { ...GPT_124M, embDim: 32, nLayers: 2, nHeads: 4 };

/** The book's training with `slow`, else that of a small model; plots of the rates and the losses. */
export async function showTraining(
  nb: Notebook,
  { source, facts, loaders, totalSteps, warmup }: ShownWarmup,
  options: ScheduleRunOptions,
): Promise<void> {
  const { epochs, seed, slow } = options;
  const folder = join(options.out, 'appendixD');
  manualSeed(seed);
  const model = new GPTModel(slow ? GPT_124M : SMALL);
  if (!slow) {
    nb.note(
      `A small model of ${countParameters(model).toLocaleString('en')} parameters, with larger steps; --slow trains ` +
        'the 124M model as the book does.\nSo small a model learns the most frequent words and no sentences: it is asked ' +
        'once, at the end, and repeats the likeliest word.',
    );
  }
  const [peakLr, initialLr, minLr] = slow ? [1e-3, 1e-5, 1e-5] : [3e-3, 1e-4, 1e-4];
  const optimizer = new optim.AdamW(model.parameters(), { lr: peakLr, weightDecay: 0.1 });
  nb.figure('used', {
    ...model.config,
    peakLr,
    initialLr,
    minLr,
    epochs,
    weightDecay: 0.1,
    seed,
    text: source,
  });
  const training: TrainingOptions = {
    numEpochs: epochs,
    evalFreq: 5,
    evalIter: 1,
    startContext: 'Every effort moves you',
    tokeniser,
    warmupSteps: warmup.warmupSteps,
    initialLr,
    minLr,
    sampleFrom: slow ? 1 : epochs,
    print: (line) => {
      if (slow) nb.print(32, line);
      else nb.note(line);
    },
  };
  const history = await runTraining(
    {
      label: 'training',
      folder,
      options,
      facts,
      model,
      optimizer,
      totalSteps,
      history: emptyTrainingHistory(),
      print: (line) => nb.note(line),
    },
    (place) => trainModelSteps(model, loaders.train, loaders.valid, optimizer, training, place),
  );
  nb.figure('history', history);
  await plotRates(join(folder, '3-rates.svg'), 'Learning rate in training', history.learningRates);
  await plotLosses(join(folder, '4-loss.svg'), history, {
    title: 'Training with warm-up, cosine decay and clipping',
    subtitle: onData(source, seed),
    epochs,
    stepsPerEpoch: loaders.train.length,
  });
  nb.result(`Plots: ${join(folder, '3-rates.svg')}, ${join(folder, '4-loss.svg')}`);
}
