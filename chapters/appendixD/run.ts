import { join } from 'node:path';
import { type DataLoader, manualSeed, optim, type Tensor } from '../../lib/index.ts';
import { createDataloaderV1 } from '../chapter02/index.ts';
import { countParameters, GPT_CONFIG_124M, type GPTConfig, GPTModel } from '../chapter04/index.ts';
import { calcLossBatch, tokeniser } from '../chapter05/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import type { OptionSpec, OptionValues } from '../common/options.ts';
import { plotCurves } from '../common/plot.ts';
import { runTraining, type SavingOptions, TRAINING_OPTIONS } from '../common/training-run.ts';
import { obtain, STORY, TEXT_OPTION } from '../datasets/index.ts';
import { warmupLearningRate, warmupStepsOf } from './01-warmup.ts';
import { cosineLearningRate } from './02-cosine-decay.ts';
import { clipGradients, findHighestGradient } from './03-clipping.ts';
import {
  emptyTrainingHistory,
  type TrainingHistory,
  type TrainingOptions,
  trainModelSteps,
} from './04-training.ts';

const OWN_OPTIONS = {
  ...TEXT_OPTION,
  epochs: { type: 'number', help: 'passes over the text', default: 15, min: 1, integer: true },
  slow: {
    type: 'boolean',
    help: 'train the 124M model, as the book does, and not a small one (half an hour)',
  },
  seed: { type: 'number', help: 'of everything random', default: 123, min: 0, integer: true },
  out: { type: 'path', access: 'writeFolder', help: 'folder for plots', default: 'runs', placeholder: 'DIR' },
} as const satisfies Record<string, OptionSpec>;

export const OPTIONS = { ...OWN_OPTIONS, ...TRAINING_OPTIONS };
export type ScheduleRunOptions = OptionValues<typeof OWN_OPTIONS> & SavingOptions;

/** The book's shortened context: with 1024 tokens the story would make four pieces. */
const GPT_124M: GPTConfig = { ...GPT_CONFIG_124M, contextLength: 256 };
/** What is trained without --slow, to see the schedule at work. */
const SMALL: GPTConfig = { ...GPT_124M, embDim: 32, nLayers: 2, nHeads: 4 };

interface StoryLoaders {
  train: DataLoader;
  valid: DataLoader;
}

/** Nine tenths of the text to learn from and the rest to watch by, in pieces of 256 tokens, two a batch. */
function makeLoaders(text: string, seed: number): StoryLoaders {
  const split = Math.floor(0.9 * text.length);
  const pieces = { batchSize: 2, maxLength: GPT_124M.contextLength, stride: GPT_124M.contextLength };
  manualSeed(seed);
  return {
    train: createDataloaderV1(text.slice(0, split), { ...pieces, shuffle: true, dropLast: true }),
    valid: createDataloaderV1(text.slice(split), { ...pieces, shuffle: false, dropLast: false }),
  };
}

async function plotRates(path: string, title: string, rates: readonly number[]): Promise<void> {
  const points = rates.map((y, x) => ({ x, y }));
  await plotCurves(path, [{ name: 'learning rate', points }], { title, x: 'step', y: 'learning rate' });
}

/** The loop without a model: what the learning rate does, and which batch comes last. */
function dryRun(train: DataLoader, epochs: number, rate: (step: number) => number) {
  const rates: number[] = [];
  let last: [Tensor, Tensor] | undefined;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const batch of train) {
      rates.push(rate(rates.length));
      last = batch;
    }
  }
  return { rates, last: last! };
}

async function train(
  nb: Notebook,
  { source, loaders, warmupSteps }: Additions,
  options: ScheduleRunOptions,
): Promise<TrainingHistory> {
  const { epochs, seed, slow } = options;
  manualSeed(seed);
  const model = new GPTModel(slow ? GPT_124M : SMALL);
  if (!slow) {
    nb.note(
      `A small model of ${countParameters(model).toLocaleString('en')} parameters, with larger steps; ` +
        '--slow trains the 124M model as the book does',
    );
  }
  const [peakLr, initialLr, minLr] = slow ? [1e-3, 1e-5, 1e-5] : [3e-3, 1e-4, 1e-4];
  const optimizer = new optim.AdamW(model.parameters(), { lr: peakLr, weightDecay: 0.1 });
  const training: TrainingOptions = {
    numEpochs: epochs,
    evalFreq: 5,
    evalIter: 1,
    startContext: 'Every effort moves you',
    tokeniser,
    warmupSteps,
    initialLr,
    minLr,
    print: (line) => {
      if (slow) nb.print(32, line);
      else nb.note(line);
    },
  };
  return runTraining(
    {
      label: 'training',
      folder: join(options.out, 'appendixD'),
      options,
      facts: { 'the text': source },
      model,
      optimizer,
      totalSteps: epochs * loaders.train.length,
      history: emptyTrainingHistory(),
      print: (line) => nb.note(line),
    },
    (place) => trainModelSteps(model, loaders.train, loaders.valid, optimizer, training, place),
  );
}

/** What the first three sections leave for the training of the fourth. */
interface Additions {
  /** Which text it is. */
  source: string;
  loaders: StoryLoaders;
  warmupSteps: number;
}

/** The three additions one by one: sections D.1 to D.3. */
export async function showAdditions(
  nb: Notebook,
  options: Omit<ScheduleRunOptions, 'slow'>,
): Promise<Additions> {
  const { epochs, seed } = options;
  const folder = join(options.out, 'appendixD');
  const story = await obtain(STORY, { path: options.text, print: (line) => nb.note(line) });
  nb.note(`Text: ${story.source}`);
  const loaders = makeLoaders(story.data, seed);

  nb.section('D.1 Learning rate warm-up');
  const [initialLr, peakLr] = [0.0001, 0.01];
  const totalSteps = loaders.train.length * epochs;
  const warmupSteps = warmupStepsOf(totalSteps);
  nb.print(12, warmupSteps);
  const warmup = { initialLr, peakLr, warmupSteps };
  const rising = dryRun(loaders.train, epochs, (step) => warmupLearningRate(step, warmup));
  await plotRates(join(folder, '1-warmup.svg'), 'Warm-up', rising.rates);

  nb.section('D.2 Cosine decay');
  const cosine = { ...warmup, minLr: 0.1 * initialLr, totalSteps };
  const curve = dryRun(loaders.train, epochs, (step) => cosineLearningRate(step, cosine));
  await plotRates(join(folder, '2-cosine.svg'), 'Warm-up and cosine decay', curve.rates);
  const shown = [0, warmupSteps, Math.floor((warmupSteps + totalSteps) / 2), totalSteps - 1];
  nb.note(shown.map((step) => `step ${step}: ${curve.rates[step].toExponential(2)}`).join(' · '));
  nb.note(`Plots: ${join(folder, '1-warmup.svg')}, ${join(folder, '2-cosine.svg')}`);

  nb.section('D.3 Gradient clipping');
  manualSeed(seed);
  const model = new GPTModel(GPT_124M);
  const [inputs, targets] = curve.last; // [2, 256] each
  calcLossBatch(inputs, targets, model).backward();
  nb.print(26, `tensor(${findHighestGradient(model)?.toFixed(4)})`);
  const norm = clipGradients(model);
  nb.print(28, `tensor(${findHighestGradient(model)?.toFixed(4)})`);
  nb.note(
    `The norm was ${norm.toFixed(4)}: all gradients were multiplied by ${Math.min(1, 1 / norm).toFixed(4)}`,
  );
  nb.figure('gradientNorm', norm);
  model.zeroGrad();
  return { source: story.source, loaders, warmupSteps };
}

export async function run(nb: Notebook, options: ScheduleRunOptions): Promise<void> {
  const folder = join(options.out, 'appendixD');
  const additions = await showAdditions(nb, options);

  nb.section('D.4 The modified training function');
  const history = await train(nb, additions, options);
  nb.figure('history', history);
  await plotRates(join(folder, '3-rates.svg'), 'Learning rate in training', history.learningRates);
  const losses = (name: string, values: readonly number[]) => ({
    name,
    points: values.map((y, i) => ({ x: history.tokensSeen[i], y })),
  });
  await plotCurves(
    join(folder, '4-loss.svg'),
    [losses('training', history.trainLosses), losses('validation', history.valLosses)],
    { title: 'Training with warm-up, cosine decay and clipping', x: 'tokens seen', y: 'loss' },
  );
  nb.note(`Plots: ${join(folder, '3-rates.svg')}, ${join(folder, '4-loss.svg')}`);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixD',
    summary: "Warm-up, cosine decay and gradient clipping, added to chapter 5's training loop.",
    options: OPTIONS,
    run: (nb, options) => run(nb, options as ScheduleRunOptions),
  });
}
