import { manualSeed, type nn, noGrad, optim } from '../../lib/index.ts';
import { tokeniser } from '../chapter02/index.ts';
import { countParameters, type GPTConfig, GPTModel, generateTextSimple } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves, type Title } from '../common/plot.ts';
import { runToEnd, runTraining, type SavingOptions, TrainingPlace } from '../common/training.ts';
import type { LanguageModel } from '../models/family.ts';
import {
  type Batches,
  calcLossBatch,
  calcLossLoader,
  type LossOfBatch,
  START,
  type TextLoaders,
  type Tokeniser,
  textToTokenIds,
  tokenIdsToText,
} from './01-text-and-loss.ts';

export interface PretrainingOptions {
  numEpochs: number;
  /** Steps between two measurements of the losses. */
  evalFreq: number;
  /** Batches of each set that a measurement takes. */
  evalIter: number;
  /** Continued after each epoch, to see what the model has learnt. */
  startContext: string;
  /** The first epoch, counted from 1, after which the model writes a sample; 1. */
  sampleFrom?: number;
  tokeniser: Tokeniser;
  /** How a batch's loss is computed; `calcLossBatch`. */
  lossOfBatch?: LossOfBatch;
  /** Where lines go; the console by default. */
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface LossHistory {
  trainLosses: number[];
  valLosses: number[];
  tokensSeen: number[];
}

export function emptyLossHistory(): LossHistory {
  return { trainLosses: [], valLosses: [], tokensSeen: [] };
}

/** Losses of both sets over `evalIter` batches, with dropout off. */
export function evaluateModel(
  model: nn.Module,
  train: Batches,
  val: Batches,
  evalIter: number,
  lossOfBatch: LossOfBatch = calcLossBatch,
): [number, number] {
  model.eval();
  const losses: [number, number] = [
    calcLossLoader(train, model, evalIter, lossOfBatch),
    calcLossLoader(val, model, evalIter, lossOfBatch),
  ];
  model.train();
  return losses;
}

/** Prints, on one line, how the model goes on from `startContext` for 50 tokens. */
export function generateAndPrintSample(
  model: LanguageModel,
  encoder: Tokeniser,
  startContext: string,
  print: (line: string) => void = console.log,
): void {
  model.eval();
  const ids = generateTextSimple(
    model,
    textToTokenIds(startContext, encoder),
    50,
    model.config.contextLength,
  );
  print(tokenIdsToText(ids, encoder).replaceAll('\n', ' '));
  model.train();
}

/**
 * The training loop: for each batch forget the gradients, compute the loss, go backward, take a step.
 *
 * It is a generator, which pauses after every step and yields its loss: its caller may draw a curve, wait, stop, or
 * keep its `place` and go on from there another day.
 */
export function* trainModelSteps(
  model: LanguageModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: PretrainingOptions,
  place = new TrainingPlace(emptyLossHistory()),
): Generator<number, LossHistory> {
  const { numEpochs, evalFreq, evalIter, startContext, tokeniser, sampleFrom = 1 } = options;
  const { lossOfBatch = calcLossBatch } = options;
  const { history } = place;
  const print = place.printer(options.print ?? console.log);
  for (const epoch of place.epochs(numEpochs)) {
    model.train();
    for (const [inputs, targets] of place.batches(trainLoader)) {
      optimizer.zeroGrad();
      const loss = lossOfBatch(inputs, targets, model);
      loss.backward();
      optimizer.step();
      place.seen += inputs.size;
      if (place.step % evalFreq === 0) {
        const [trainLoss, valLoss] = noGrad(() =>
          evaluateModel(model, trainLoader, valLoader, evalIter, lossOfBatch),
        );
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        history.tokensSeen.push(place.seen);
        print(lossLine(epoch, place.step, trainLoss, valLoss));
      }
      yield loss.item();
    }
    if (epoch >= sampleFrom) generateAndPrintSample(model, tokeniser, startContext, print);
  }
  return history;
}

/** The same in the book's form: from the first step to the last. */
export function trainModelSimple(
  model: LanguageModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: PretrainingOptions,
): LossHistory {
  return runToEnd(trainModelSteps(model, trainLoader, valLoader, optimizer, options), options.onStep);
}

/** `Ep 1 (Step 000000): Train loss 9.817, Val loss 9.924`. */
export function lossLine(epoch: number, step: number, trainLoss: number, valLoss: number): string {
  const at = String(step).padStart(6, '0');
  return `Ep ${epoch} (Step ${at}): Train loss ${trainLoss.toFixed(3)}, Val loss ${valLoss.toFixed(3)}`;
}

export interface TrainedModel {
  model: GPTModel;
  history: LossHistory;
}

export interface Pretraining {
  config: GPTConfig;
  lr: number;
  /** Passes over the story. */
  numEpochs: number;
  /** As in PretrainingOptions. */
  sampleFrom?: number;
  /** Where the loss lines and samples go. */
  print: (line: string) => void;
  /** Where the checkpoints go, and what a run has to have in common with them to go on from there. */
  folder: string;
  options: SavingOptions;
  facts: Record<string, string | undefined>;
}

/** AdamW's, as in the book. */
const WEIGHT_DECAY = 0.1;

/** Trains a new model on the story. */
export async function pretrain(
  nb: Notebook,
  loaders: TextLoaders,
  { config, lr, numEpochs, sampleFrom, print, ...saving }: Pretraining,
): Promise<TrainedModel> {
  manualSeed(123);
  const model = new GPTModel(config);
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: WEIGHT_DECAY });
  const options = { numEpochs, evalFreq: 5, evalIter: 5, startContext: START, tokeniser, sampleFrom, print };
  nb.figure('used', { ...config, lr, epochs: numEpochs, weightDecay: WEIGHT_DECAY, seed: 123 });
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

/**
 * Both losses over the epochs and the tokens seen, as an SVG file. Where the lower one keeps falling and the upper does
 * not, the model learns by heart.
 */
export async function plotLosses(
  path: string,
  history: LossHistory,
  { epochs, stepsPerEpoch, ...title }: Title & { epochs: number; stepsPerEpoch: number },
): Promise<void> {
  const perEpoch = history.tokensSeen[0] * stepsPerEpoch; // the first look is after one step
  const curve = (name: string, losses: readonly number[]) => ({
    name,
    points: losses.map((y, i) => ({ x: history.tokensSeen[i] / perEpoch, y })),
  });
  await plotCurves(path, [curve('training', history.trainLosses), curve('validation', history.valLosses)], {
    ...title,
    x: 'epochs',
    y: 'loss',
    epochs: { count: epochs, seen: epochs * perEpoch, unit: 'tokens' },
  });
}
