/** One experiment of the lab: mini with a new head, its trained parts, and the training, step by step. */

import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { MINI_WEIGHTS, obtainModel } from '../../../chapters/chapter05/index.ts';
import { prepareForMethod, replaceHead } from '../../../chapters/chapter06/05-classification-head.ts';
import {
  type Batches,
  type ClassLogits,
  defaultSchedule,
  type FineTuning,
  type FineTuningHistory,
  lastPositionOnly,
  makeDatasets,
  makeLoaders,
  prepareFineTuning,
  prepareMessages,
  type SpamDataset,
} from '../../../chapters/chapter06/index.ts';
import { type AboutRun, settingsThatDiffer, TrainingPlace } from '../../../chapters/common/training.ts';
import type { Parts } from '../../../chapters/datasets/index.ts';
import { io, memoryUse, nn, noGrad, type optim, UserError, yieldToRuntime } from '../../../lib/index.ts';
import { defaultGenerator } from '../../../lib/random/index.ts';
import { linears, numbers } from './dose.ts';
import type { Accuracy, Report, Settings, Source, Trained } from './lab-messages.ts';

/** Steps between two looks at the validation part, and between two checkpoints. */
const LOOK_EVERY = 10;
const SAVE_EVERY = 25;
/** Batches of the validation part that such a look takes. */
const LOOK_BATCHES = 3;

export interface Messages extends Source {
  datasets: Parts<SpamDataset>;
  /** Of the file: other messages have another. */
  fingerprint: string;
}

/** The messages of a file, or the stand-in. */
export async function readMessages(
  file: { path: string; fingerprint: string } | undefined,
  seed: number,
): Promise<Messages> {
  const [data, contextLength] = [file?.path ?? 'stand-in', 256];
  const prepared = await prepareMessages({ data, seed, contextLength, print: () => {} });
  const { labels, source, synthetic } = prepared;
  if (labels && labels.join() !== 'ham,spam') {
    throw new UserError(`the lab tells spam from ham, and ${source} has the labels ${labels.join(', ')}`);
  }
  const datasets = makeDatasets(prepared.parts, { name: 'mini', contextLength }, prepared.maxLength);
  return { datasets, source, synthetic, fingerprint: file?.fingerprint ?? 'stand-in' };
}

export class Experiment {
  readonly settings: Settings;
  readonly model: GPTModel;
  readonly trainable: number;
  readonly steps: number;
  readonly maxLength: number;
  /** The Linears as they were, by path: W [out, in]. */
  readonly weightsBefore = new Map<string, Float32Array>();
  /** A of each Linear with LoRA, as it was drawn. */
  readonly factorsBefore = new Map<string, Float32Array>();
  readonly loaders: Parts<Batches>;
  /** The facts that a checkpoint must have in common with this experiment: the terminal compares the same. */
  readonly facts: Record<string, unknown>;
  private readonly logitsOf: ClassLogits;
  readonly optimizer: optim.Optimizer;
  private readonly tuning: FineTuning;
  private place: TrainingPlace<FineTuningHistory>;
  private loop: Generator<number, FineTuningHistory>;
  /** The training's own random numbers. Other draws, for an adapter that is loaded or a look at the accuracy, do not change them. */
  private random = defaultGenerator.getState();
  private seconds: number | undefined = 0;
  private stopping = false;
  private training = false;

  private constructor(model: GPTModel, settings: Settings, messages: Messages, trainable: number) {
    this.model = model;
    this.settings = settings;
    this.trainable = trainable;
    this.maxLength = messages.datasets.train.maxLength;
    this.loaders = makeLoaders(messages.datasets, settings.batchSize);
    this.logitsOf = lastPositionOnly(model);
    for (const [path, linear] of linears(model)) {
      this.weightsBefore.set(path, numbers(linear.weight));
      if (linear instanceof nn.LinearWithLoRA && linear.active) {
        this.factorsBefore.set(path, numbers(linear.lora.A));
      }
    }
    const schedule = defaultSchedule('mini');
    const { logitsOf } = this;
    this.tuning = prepareFineTuning(model, this.loaders, {
      ...settings,
      schedule,
      logitsOf,
      print: () => {},
    });
    this.optimizer = this.tuning.optimizer;
    this.steps = this.tuning.totalSteps;
    this.place = new TrainingPlace(this.tuning.history);
    this.loop = this.tuning.steps(this.place);
    this.random = defaultGenerator.getState();
    const { source, fingerprint } = messages;
    this.facts = {
      ...settings,
      'the messages': source,
      'their SHA-256': fingerprint,
      'number of steps': this.steps,
    };
  }

  /** A fresh model, prepared as chapter 6 prepares it. */
  static async begin(settings: Settings, messages: Messages): Promise<Experiment> {
    const { method, rank, alpha, scaling, targets, seed } = settings;
    const model = (await obtainModel({ model: 'mini', weights: MINI_WEIGHTS })).eval();
    replaceHead(model, seed);
    const lora = { rank, alpha, scaling, targets: targets.length > 0 ? targets : undefined };
    return new Experiment(model, settings, messages, prepareForMethod(model, method, lora));
  }

  /** Steps that are done. */
  get step(): number {
    return this.place.step + 1;
  }

  get isTraining(): boolean {
    return this.training;
  }

  /** Does work that draws the training's random numbers, such as a step. */
  private drawing<T>(work: () => T): T {
    defaultGenerator.setState(this.random);
    try {
      return work();
    } finally {
      this.random = defaultGenerator.getState();
    }
  }

  /**
   * Trains `count` steps, or until it is stopped or done. After the last step it counts the accuracies. If it is stopped then,
   * it counts them the next time that it is asked to train.
   *
   * @param folder for checkpoints; without one none is written
   * @throws UserError if the loss is not a number any more
   */
  async run(count: number, tell: (report: Report) => void, folder?: string): Promise<Trained> {
    if (this.training) throw new UserError('a training is under way');
    this.training = true;
    this.stopping = false;
    try {
      await this.take(count, tell, folder);
      const { step } = this;
      if (step < this.steps || this.stopping) return { step };
      const accuracy = await this.accuracy();
      return { step, finished: { accuracy, seconds: this.seconds } };
    } catch (error) {
      if (error === STOPPED) return { step: this.step };
      throw error;
    } finally {
      this.training = false;
      this.model.eval();
    }
  }

  private async take(
    count: number,
    tell: (report: Report) => void,
    folder: string | undefined,
  ): Promise<void> {
    let savedAt = this.step;
    const save = async () => {
      if (!folder || savedAt === this.step) return;
      savedAt = this.step;
      await this.save(folder);
    };
    for (let left = count; left > 0 && !this.stopping; left--) {
      const start = performance.now();
      const { done, value: loss } = this.drawing(() => this.loop.next());
      const ms = performance.now() - start;
      if (done) return;
      if (this.seconds !== undefined) this.seconds += ms / 1000;
      if (!Number.isFinite(loss))
        throw new UserError('the loss is not a number any more: try a smaller learning rate');
      await yieldToRuntime();
      const { step, steps } = this;
      tell({ step, steps, loss: loss as number, ms, memoryMiB: memoryUse().reserved / 2 ** 20 });
      if (step % LOOK_EVERY === 0 || step === 1) await this.look(tell);
      if (step % SAVE_EVERY === 0) await save();
    }
    if (this.stopping) await save();
  }

  /** Ends a training after the step under way, or a counting. */
  stop(): void {
    this.stopping = true;
  }

  /** Loss and accuracy on a part of the validation messages. */
  private async look(tell: (report: Report) => void): Promise<void> {
    const { loss, accuracy } = await this.evaluate(this.loaders.valid, LOOK_BATCHES);
    if (!Number.isNaN(loss)) tell({ step: this.step, validLoss: loss, validAccuracy: accuracy });
  }

  /** The accuracy on each part, over all messages. @throws UserError if it is stopped */
  async accuracy(): Promise<Accuracy> {
    const { train, valid, test } = this.loaders;
    if (!this.training) this.stopping = false;
    const of = async (loader: Batches) => {
      const { accuracy } = await this.evaluate(loader, loader.length);
      if (this.stopping) throw STOPPED;
      return accuracy;
    };
    const messages = train.dataset;
    const size = Math.min(train.batchSize, messages.length);
    // In order, and with the last batch that training leaves out.
    const ordered = makeLoaders({ train: messages, valid: messages, test: messages }, size).test;
    return { train: await of(ordered), valid: await of(valid), test: await of(test) };
  }

  /** Batch by batch, with a pause after each: a page that asks for something is heard. */
  private async evaluate(loader: Batches, count: number) {
    this.model.eval();
    let [loss, correct, seen, batches] = [0, 0, 0, 0];
    for (const [inputs, labels] of loader) {
      if (batches === count || this.stopping) break;
      noGrad(() => {
        const logits = this.logitsOf(inputs, this.model); // [b, 2]
        const logProbabilities = logits.logSoftmax(-1);
        const [guesses, right] = [logits.argmax(-1).toArray(), labels.toArray()] as number[][];
        right.forEach((label, i) => {
          loss -= logProbabilities.index(i, label).item();
          if (guesses[i] === label) correct++;
        });
        seen += right.length;
      });
      batches++;
      await yieldToRuntime();
    }
    return { loss: loss / seen, accuracy: correct / seen };
  }

  private async save(folder: string): Promise<void> {
    const place = this.drawing(() => this.place.save());
    await io.writeCheckpoint<AboutRun>(folder, this, {
      place,
      process: '',
      engine: '',
      settings: this.facts,
    });
  }

  /**
   * Goes on from the checkpoint in the folder. The answer has the losses so far.
   * @throws UserError if it is damaged, or of another training; nothing is changed then
   */
  goOn(folder: string): number[] {
    if (this.training) throw new UserError('a training is under way: pause it first');
    const checkpoint = io.findCheckpoint<AboutRun>(folder, () => {});
    if (!checkpoint)
      throw new UserError('what was kept of the training is damaged: train from the beginning');
    const differences = settingsThatDiffer(checkpoint.about.settings, this.facts);
    if (differences.length > 0) {
      throw new UserError(
        `what was kept is of another training, they differ in ${differences.join(', ')}: give the same settings and messages`,
      );
    }
    checkpoint.restore({ model: this.model, optimizer: this.optimizer });
    this.place = new TrainingPlace({ ...this.tuning.history });
    this.place.restore(checkpoint.about.place);
    this.loop = this.tuning.steps(this.place);
    this.seconds = undefined;
    return [...this.place.history.stepLosses];
  }
}

/** Thrown where a counting was stopped. */
const STOPPED = new UserError('stopped before all was counted');
