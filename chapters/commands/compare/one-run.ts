/** One run: a model, fine-tuned in one way from one start, and what came of it. `runs.ts` gives each its own process. */

import { rm } from 'node:fs/promises';
import { manualSeed } from '../../../lib/index.ts';
import { countParameters } from '../../chapter04/index.ts';
import { obtainModel } from '../../chapter05/index.ts';
import {
  classNames,
  defaultLearningRate,
  defaultSchedule,
  EXAMPLES,
  leaveWorkOut,
  makeDatasets,
  type PreparedMessages,
  prepareForMethod,
  prepareMessages,
  replaceHead,
  showFineTuning,
  spamProbability,
} from '../../chapter06/index.ts';
import { Notebook } from '../../common/notebook.ts';
import type { Parts } from '../../datasets/index.ts';
import { type Base, describeMethod, type MethodName } from './methods.ts';

export const MODEL = 'mini';
export const BATCH_SIZE = 8;

/** Which run. */
export interface Task {
  method: MethodName;
  base: Base;
  /** Of everything random but the split: the head, A, the order of the messages, and the weights of a random base. */
  seed: number;
}

/** What all runs of a table have in common. */
export interface Circumstances {
  /** As chapter 6's `--data`. */
  data?: string;
  /** The seed of the split. */
  splitSeed: number;
  maxLength?: number;
  epochs: number;
}

export interface Result {
  /** How many numbers were trained, and of how many. */
  trained: number;
  all: number;
  accuracy: Parts<number>;
  /** From the loaded model to the accuracies: frozen blocks, training, evaluation. */
  seconds: number;
  /** Those of the processor in the same time, over all threads. */
  processorSeconds: number;
  /** Threads of the engine. */
  threads: number;
  /** How many programs and threads wanted a core in the run's last minute, its own among them. */
  load: number;
  /** The most memory that the process has held, in bytes. */
  peakMemory: number;
  /** How probable the model finds it that chapter 6's two examples are spam. */
  examples?: { spam: number; ham: number };
}

/** The three parts, each message as ids. @throws UserError if they do not fit the model, or are too few */
export function datasetsOf(prepared: PreparedMessages, maxLength: number | undefined, contextLength: number) {
  const length = maxLength ?? prepared.maxLength;
  const model = { name: MODEL, contextLength };
  return makeDatasets(prepared.parts, model, length, classNames(prepared).length);
}

/**
 * Fine-tunes a model as `npm run chapter06 -- --seed …` does, with the seed of the split and of all else apart.
 * @param folder for the checkpoint that training ends with; it is removed
 */
export async function trainOne(
  task: Task,
  circumstances: Circumstances,
  folder: string,
): Promise<Omit<Result, 'threads' | 'load'>> {
  const { base, seed } = task;
  const { method, lora } = describeMethod(task.method);
  const { data, splitSeed, maxLength, epochs } = circumstances;
  manualSeed(seed);
  const model = (await obtainModel({ model: MODEL, randomWeights: base === 'random' })).eval();
  const { contextLength } = model.config;
  const prepared = await prepareMessages({ data, seed: splitSeed, contextLength });
  const datasets = datasetsOf(prepared, maxLength, contextLength);
  replaceHead(model, seed, classNames(prepared).length);
  const trained = prepareForMethod(model, method, lora);

  const silent = new Notebook('compare', () => {});
  const [start, used] = [performance.now(), process.cpuUsage()];
  const { logitsOf, loaders } = await leaveWorkOut(silent, model, datasets, BATCH_SIZE);
  const { accuracy } = await showFineTuning(silent, model, loaders, {
    ...{ method, epochs, seed, trainable: trained, logitsOf },
    lr: defaultLearningRate(MODEL, method),
    schedule: defaultSchedule(MODEL),
    // A run is short: one that is stopped begins anew, and no checkpoint is needed on the way.
    saving: { folder, options: { saveEvery: Number.MAX_SAFE_INTEGER, anew: true }, print: () => {} },
  });
  const { user, system } = process.cpuUsage(used); // in microseconds
  const seconds = (performance.now() - start) / 1000;
  await rm(folder, { recursive: true, force: true });

  const isSpam = (text: string) => spamProbability(text, model, { maxLength: datasets.train.maxLength });
  return {
    trained,
    all: countParameters(model),
    accuracy,
    seconds,
    processorSeconds: (user + system) / 1e6,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    examples: prepared.found ? undefined : { spam: isSpam(EXAMPLES.spam), ham: isSpam(EXAMPLES.ham) },
  };
}
