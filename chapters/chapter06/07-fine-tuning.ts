import { manualSeed, type nn, optim, random, type Tensor } from '../../lib/index.ts';
import { calcLossLoader, evaluateModel, type LossOfBatch, lossLine } from '../chapter05/index.ts';
import { BestWeights } from '../common/best-weights.ts';
import { showPeakMemory } from '../common/engine.ts';
import type { Notebook } from '../common/notebook.ts';
import { formatTable } from '../common/table.ts';
import { runToEnd, runTraining, TrainingPlace, type TrainingRun } from '../common/training.ts';
import type { Parts } from '../datasets/index.ts';
import { classNames, type PreparedMessages } from './02-preparing-the-dataset.ts';
import type { Batches } from './03-data-loaders.ts';
import type { Method } from './05-classification-head.ts';
import {
  type ClassLogits,
  calcAccuracyLoader,
  calcAnswers,
  calcLossBatch,
  percent,
} from './06-loss-and-accuracy.ts';
import {
  type Answers,
  againstMajority,
  confusionMatrix,
  majorityOf,
  measuresOf,
  perClassTable,
  shareRight,
} from './per-class.ts';

export interface FineTuningOptions {
  numEpochs: number;
  /** Steps between two looks at the losses. */
  evalFreq: number;
  /** Batches of each set that a measurement takes. */
  evalIter: number;
  /** The learning rate of each step, counted from 0; without it the optimiser keeps its own. */
  learningRate?: (step: number) => number;
  /** How the model is asked; without it every position is computed, and the last one is taken. */
  logitsOf?: ClassLogits;
  /** What each class counts in the loss, [classes]. */
  classWeights?: Tensor;
  /** Where the best epoch's weights are kept, which the model gets in the end; without it the last ones stay. */
  best?: BestWeights;
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface FineTuningHistory {
  trainLosses: number[];
  valLosses: number[];
  trainAccs: number[];
  valAccs: number[];
  examplesSeen: number;
  /** The loss of every step. */
  stepLosses: number[];
  /** The epoch whose weights are kept, from 1, and its loss over the whole validation part, if the best are kept. */
  best?: { epoch: number; valLoss: number };
}

function emptyHistory(): FineTuningHistory {
  return { trainLosses: [], valLosses: [], trainAccs: [], valAccs: [], examplesSeen: 0, stepLosses: [] };
}

/**
 * The training loop of chapter 5, for labels instead of next tokens, with accuracies after each epoch. It pauses after
 * every step and yields its loss.
 */
export function* trainClassifierSteps(
  model: nn.Module,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: FineTuningOptions,
  place = new TrainingPlace(emptyHistory()),
): Generator<number, FineTuningHistory> {
  const { numEpochs, evalFreq, evalIter, learningRate, logitsOf, classWeights, best } = options;
  const { history } = place;
  const print = place.printer(options.print ?? console.log);
  const lossOf: LossOfBatch = (inputs, labels, model) =>
    calcLossBatch(inputs, labels, model, logitsOf, classWeights);
  for (const epoch of place.epochs(numEpochs)) {
    model.train();
    for (const [inputs, labels] of place.batches(trainLoader)) {
      if (learningRate) optimizer.lr = learningRate(place.step);
      optimizer.zeroGrad();
      const loss = lossOf(inputs, labels, model);
      loss.backward();
      optimizer.step();
      history.examplesSeen += inputs.shape[0];
      history.stepLosses.push(loss.item());
      if (place.step % evalFreq === 0) {
        const [trainLoss, valLoss] = evaluateModel(model, trainLoader, valLoader, evalIter, lossOf);
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        print(lossLine(epoch, place.step, trainLoss, valLoss));
      }
      yield loss.item();
    }
    const trainAcc = calcAccuracyLoader(trainLoader, model, evalIter, logitsOf);
    const valAcc = calcAccuracyLoader(valLoader, model, evalIter, logitsOf);
    history.trainAccs.push(trainAcc);
    history.valAccs.push(valAcc);
    print(`Training accuracy: ${percent(trainAcc)} | Validation accuracy: ${percent(valAcc)}`);
    if (!best) continue;
    const generator = random.defaultGenerator.getState(); // this look draws nothing: the epochs are those of a run without it
    const valLoss = calcLossLoader(valLoader, model, undefined, lossOf);
    random.defaultGenerator.setState(generator);
    if (history.best && history.best.valLoss <= valLoss) continue;
    history.best = { epoch, valLoss };
    best.take();
  }
  best?.putBack();
  return history;
}

/** The same in the book's form: from the first step to the last. */
export function trainClassifierSimple(
  model: nn.Module,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: FineTuningOptions,
): FineTuningHistory {
  return runToEnd(trainClassifierSteps(model, trainLoader, valLoader, optimizer, options), options.onStep);
}

export type Schedule = 'constant' | 'cosine';

/**
 * The learning rate of a step, counted from 0: over the first steps, a tenth of all, up to the peak, then half a cosine
 * down to a fiftieth of it. Appendix D says why.
 */
export function cosineRate(
  step: number,
  steps: number,
  peak: number,
  warmup = Math.floor(steps / 10),
): number {
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const done = (step - warmup) / Math.max(1, steps - warmup); // 0 … 1
  return peak * (0.02 + 0.49 * (1 + Math.cos(Math.PI * done)));
}

export interface FineTuneSettings {
  /** Names the progress bar. */
  method: Method;
  /** The learning rate, or the highest one where it rises and falls. */
  lr: number;
  /** The same rate for all steps, as in the book, or one that rises and falls: see `cosineRate`. */
  schedule: Schedule;
  epochs: number;
  seed: number;
  /** How the model is asked, as in FineTuningOptions. */
  logitsOf?: ClassLogits;
  /** As in FineTuningOptions. */
  classWeights?: Tensor;
  /** The weights of the last epoch, or of the one with the lowest loss over the whole validation part. */
  keep?: 'last' | 'best';
  print: (line: string) => void;
  /** Where the checkpoints go, and what a run has to have in common with them to go on from there. */
  saving: Pick<TrainingRun<FineTuningHistory>, 'folder' | 'options' | 'facts' | 'print'>;
}

/** Steps between two looks at the losses. */
export const EVAL_FREQ = 50;
/** Batches that such a look takes. */
export const EVAL_ITER = 5;
/** AdamW's, as in the book. */
export const WEIGHT_DECAY = 0.1;

export interface FineTuning {
  optimizer: optim.Optimizer;
  best?: BestWeights;
  totalSteps: number;
  history: FineTuningHistory;
  /** The loop, from the place where it begins. */
  steps(place: TrainingPlace<FineTuningHistory>): Generator<number, FineTuningHistory>;
}

/**
 * All that a fine-tuning needs, seeded: AdamW with a weight decay of 0.1 on what is not frozen, a look at the losses every 50
 * steps over 5 batches. Whoever runs the loop (the terminal, the page) gets the same losses.
 */
export function prepareFineTuning(
  model: nn.Module,
  loaders: Pick<Parts<Batches>, 'train' | 'valid'>,
  settings: Omit<FineTuneSettings, 'method' | 'saving'>,
): FineTuning {
  const { lr, schedule, epochs, seed, logitsOf, classWeights, keep, print } = settings;
  const best = keep === 'best' ? new BestWeights(model) : undefined;
  manualSeed(seed);
  const optimizer = new optim.AdamW(trainedParameters(model), { lr, weightDecay: WEIGHT_DECAY });
  const totalSteps = epochs * loaders.train.length;
  const options = {
    numEpochs: epochs,
    evalFreq: EVAL_FREQ,
    evalIter: EVAL_ITER,
    learningRate: schedule === 'cosine' ? (step: number) => cosineRate(step, totalSteps, lr) : undefined,
    ...{ logitsOf, classWeights, best, print },
  };
  return {
    ...{ optimizer, best },
    totalSteps,
    history: emptyHistory(),
    steps: (place) => trainClassifierSteps(model, loaders.train, loaders.valid, optimizer, options, place),
  };
}

/** Trains what is not frozen, with checkpoints. */
export function fineTune(
  model: nn.Module,
  loaders: Parts<Batches>,
  settings: FineTuneSettings,
): Promise<FineTuningHistory> {
  const { steps, ...prepared } = prepareFineTuning(model, loaders, settings);
  return runTraining({ ...settings.saving, label: settings.method, model, ...prepared }, steps);
}

/** The parameters that are not frozen. */
export function trainedParameters(model: nn.Module): nn.Parameter[] {
  return model.parameters().filter((parameter) => parameter.requiresGrad);
}

export interface FineTuneResult {
  method: Method;
  /** The model that answers: ids [b, t] → [b, t, classes]. */
  classifier: nn.Module;
  /** How many numbers were trained. */
  trainable: number;
  history: FineTuningHistory;
  accuracy: Parts<number>;
  /** What it answers on the test part. */
  answers: Answers;
  seconds: number;
  /** How it was trained. */
  used: Pick<FineTuneSettings, 'lr' | 'schedule' | 'epochs' | 'seed' | 'keep'> & {
    batchSize: number;
    weightDecay: number;
    classWeights?: readonly number[];
  };
}

/** `fineTune`, timed, with the accuracies over everything at its end. */
export async function showFineTuning(
  nb: Notebook,
  model: nn.Module,
  loaders: Parts<Batches>,
  settings: Omit<FineTuneSettings, 'print'> & { trainable: number; cell?: number },
): Promise<FineTuneResult> {
  const { method, trainable, cell, logitsOf } = settings;
  const start = performance.now();
  const print = (line: string) => (cell === undefined ? nb.note(line) : nb.print(cell, line));
  const history = await fineTune(model, loaders, { ...settings, print });
  const { best } = history;
  if (best)
    print(`Kept: epoch ${best.epoch}, whose validation loss is the lowest (${best.valLoss.toFixed(3)}).`);
  print(`Training completed in ${((performance.now() - start) / 60_000).toFixed(2)} minutes.`);
  const { train, valid, test } = await calcAnswers(loaders, model, undefined, logitsOf);
  const { lr, schedule, epochs, seed, keep } = settings;
  const classWeights = settings.classWeights?.toFlatArray() as number[] | undefined;
  const { batchSize } = loaders.train;
  return {
    method,
    classifier: model,
    trainable,
    history,
    accuracy: { train: shareRight(train), valid: shareRight(valid), test: shareRight(test) },
    answers: test,
    seconds: (performance.now() - start) / 1000,
    used: { lr, schedule, epochs, seed, batchSize, weightDecay: WEIGHT_DECAY, classWeights, keep },
  };
}

/**
 * The table that ends a run, a row for each method; below it, for data of the user's own, how well each class is told from
 * the others, and whether that is worth anything.
 */
export function showResults(
  nb: Notebook,
  results: readonly FineTuneResult[],
  prepared: Pick<PreparedMessages, 'labels' | 'parts'>,
): void {
  const header = ['method', 'trainable', 'train', 'valid', 'test', 'seconds'];
  const rows = results.map(({ method, trainable, accuracy, seconds }) => [
    method,
    trainable.toLocaleString('en'),
    percent(accuracy.train),
    percent(accuracy.valid),
    percent(accuracy.test),
    seconds.toFixed(1),
  ]);
  nb.result(formatTable(header, rows));
  const names = classNames(prepared);
  const confusions = results.map(({ answers }) => confusionMatrix(answers, names.length));
  const majority = majorityOf(prepared.parts.test, names);
  if (prepared.labels) {
    results.forEach(({ method, accuracy }, i) => {
      const share = percent(accuracy.test);
      nb.result(
        `\n${method}: ${share} of the test part is right, ${againstMajority(accuracy.test, majority)}`,
      );
      nb.result(perClassTable(confusions[i], names));
    });
  }
  nb.figure(
    'results',
    results.map(({ classifier: _, answers: __, ...result }, i) => {
      return { ...result, confusion: confusions[i], classes: measuresOf(confusions[i], names) };
    }),
  );
  nb.figure('majority', majority);
  showPeakMemory(nb);
}
