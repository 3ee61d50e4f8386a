import { join } from 'node:path';
import { type DataLoader, manualSeed, type Tensor } from '../../lib/index.ts';
import { createDataloaderV1 } from '../chapter02/index.ts';
import { GPT_CONFIG_124M, type GPTConfig } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { fingerprint } from '../common/training.ts';
import { obtain, STORY } from '../datasets/index.ts';
import type { ScheduleRunOptions } from './options.ts';

/**
 * Learning rate warm-up: the first steps are small. A new model's gradients point anywhere, and AdamW's running
 * means know nothing yet; a large step now can throw the weights to where training does not recover.
 */

export interface WarmupSchedule {
  /** The rate of the first step. */
  initialLr: number;
  /** The rate that is reached after `warmupSteps` steps. */
  peakLr: number;
  warmupSteps: number;
}

/** A share of all steps, rounded down: 0.1% to 20% is usual. */
export function warmupStepsOf(totalSteps: number, share = 0.2): number {
  return Math.floor(share * totalSteps);
}

/** The learning rate of a step, counted from 0: in equal increments from the initial rate to the peak, then the peak. */
export function warmupLearningRate(step: number, schedule: WarmupSchedule): number {
  const { initialLr, peakLr, warmupSteps } = schedule;
  if (step >= warmupSteps) return peakLr;
  const increment = (peakLr - initialLr) / warmupSteps;
  return initialLr + step * increment;
}

/** The book's shortened context: with 1024 tokens the story would make four pieces. */
export const GPT_124M: GPTConfig = { ...GPT_CONFIG_124M, contextLength: 256 };

export interface StoryLoaders {
  train: DataLoader;
  valid: DataLoader;
}

/** Nine tenths of the text to learn from and the rest to watch by, in pieces of 256 tokens, two per batch. */
function makeLoaders(text: string, seed: number): StoryLoaders {
  const split = Math.floor(0.9 * text.length);
  const pieces = { batchSize: 2, maxLength: GPT_124M.contextLength, stride: GPT_124M.contextLength };
  manualSeed(seed);
  return {
    train: createDataloaderV1(text.slice(0, split), { ...pieces, shuffle: true, dropLast: true }),
    valid: createDataloaderV1(text.slice(split), { ...pieces, shuffle: false, dropLast: false }),
  };
}

/** The loop without a model: what the learning rate does, and which batch comes last. */
export function dryRun(train: DataLoader, epochs: number, rate: (step: number) => number) {
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

/** Plots a learning rate over the steps. */
export async function plotRates(path: string, title: string, rates: readonly number[]): Promise<void> {
  const points = rates.map((y, x) => ({ x, y }));
  await plotCurves(path, [{ name: 'learning rate', points }], { title, x: 'step', y: 'learning rate' });
}

/** What the later sections need from this one. */
export interface ShownWarmup {
  /** Which text it is. */
  source: string;
  /** What a training on it depends on. */
  facts: Record<string, string>;
  loaders: StoryLoaders;
  totalSteps: number;
  warmup: WarmupSchedule;
}

/** The text in batches, how many steps warm up, and the rate over all of them. */
export async function showWarmup(
  nb: Notebook,
  { text, epochs, seed, out }: Omit<ScheduleRunOptions, 'slow'>,
): Promise<ShownWarmup> {
  const story = await obtain(STORY, { path: text, print: (line) => nb.note(line) });
  nb.note(`Text: ${story.source}`);
  const loaders = makeLoaders(story.data, seed);
  const totalSteps = loaders.train.length * epochs;
  const warmup = { initialLr: 0.0001, peakLr: 0.01, warmupSteps: warmupStepsOf(totalSteps) };
  nb.print(12, warmup.warmupSteps);
  const { rates } = dryRun(loaders.train, epochs, (step) => warmupLearningRate(step, warmup));
  const path = join(out, 'appendixD', '1-warmup.svg');
  await plotRates(path, 'Warm-up', rates);
  nb.note(`Plot: ${path}`);
  return {
    source: story.source,
    facts: { 'the text': fingerprint(story.data) },
    loaders,
    totalSteps,
    warmup,
  };
}
