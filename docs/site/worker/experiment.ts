/** One experiment of the lab: mini with a new head, what is trained of it, and the training, step by step. */

import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { MINI_WEIGHTS, obtainModel } from '../../../chapters/chapter05/index.ts';
import { prepareForMethod, replaceHead } from '../../../chapters/chapter06/05-classification-head.ts';
import {
  type Batches,
  type ClassLogits,
  calcLossBatch,
  cosineRate,
  lastPositionOnly,
  makeDatasets,
  makeLoaders,
  prepareMessages,
  type SpamDataset,
  WEIGHT_DECAY,
} from '../../../chapters/chapter06/index.ts';
import { findCheckpoint, saveCheckpoint } from '../../../chapters/common/checkpoint.ts';
import { TrainingPlace } from '../../../chapters/common/training-place.ts';
import type { Parts } from '../../../chapters/datasets/index.ts';
import { manualSeed, memoryUse, nn, noGrad, optim, UserError, yieldToRuntime } from '../../../lib/index.ts';
import { linears, numbers } from './dose.ts';
import type { Settings, Told } from './lab-messages.ts';

/** Steps between two looks at the validation part, and between two checkpoints. */
const LOOK_EVERY = 10;
const SAVE_EVERY = 25;
/** Batches of the validation part that such a look takes. */
const LOOK_BATCHES = 3;
const FOLDER = '/runs/lab';

export interface Messages {
  datasets: Parts<SpamDataset>;
  source: string;
  synthetic: boolean;
}

/** The messages of a file, or the stand-in. */
export async function readMessages(path: string | undefined, seed: number): Promise<Messages> {
  const prepared = await prepareMessages({ data: path ?? 'stand-in', seed, print: () => {} });
  const { source, synthetic } = prepared;
  const datasets = makeDatasets(prepared.parts, { name: 'mini', contextLength: 256 });
  return { datasets, source, synthetic };
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
  private readonly logitsOf: ClassLogits;
  readonly optimizer: optim.Optimizer;
  private place = new TrainingPlace<{ losses: number[] }>({ losses: [] });
  private loop: Generator<number, void>;
  private seconds = 0;
  private isStopped = true;
  private running: Promise<void> = Promise.resolve();

  private constructor(model: GPTModel, settings: Settings, messages: Messages, trainable: number) {
    this.model = model;
    this.settings = settings;
    this.trainable = trainable;
    this.maxLength = messages.datasets.train.maxLength;
    this.loaders = makeLoaders(messages.datasets, settings.batchSize);
    this.steps = settings.epochs * this.loaders.train.length;
    this.logitsOf = lastPositionOnly(model);
    for (const [path, linear] of linears(model)) {
      this.weightsBefore.set(path, numbers(linear.weight));
      if (linear instanceof nn.LinearWithLoRA && linear.active) {
        this.factorsBefore.set(path, numbers(linear.lora.A));
      }
    }
    manualSeed(settings.seed); // as `fineTune` does: the same order of messages as in the terminal
    const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
    this.optimizer = new optim.AdamW(trained, { lr: settings.lr, weightDecay: WEIGHT_DECAY });
    this.loop = this.train();
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

  /** The book's loop: it pauses after every step and yields its loss. */
  private *train(): Generator<number, void> {
    const { place, optimizer, settings, steps } = this;
    for (const _ of place.epochs(settings.epochs)) {
      for (const [inputs, labels] of place.batches(this.loaders.train)) {
        this.model.train();
        optimizer.lr = cosineRate(place.step, steps, settings.lr);
        optimizer.zeroGrad();
        const loss = calcLossBatch(inputs, labels, this.model, this.logitsOf);
        loss.backward();
        optimizer.step();
        yield loss.item();
      }
    }
  }

  /** Trains `count` steps, or until it is stopped or done. One that is still running finishes first. */
  async run(count: number, tell: (told: Told) => void): Promise<void> {
    this.isStopped = true;
    await this.running;
    this.isStopped = false;
    this.running = this.take(count, tell);
    await this.running;
  }

  private async take(count: number, tell: (told: Told) => void): Promise<void> {
    for (let left = count; left > 0 && !this.isStopped; left--) {
      const start = performance.now();
      const { done, value: loss } = this.loop.next();
      const ms = performance.now() - start;
      if (done) break;
      this.seconds += ms / 1000;
      if (!Number.isFinite(loss))
        throw new UserError('the loss is not a number any more: try a smaller learning rate');
      await yieldToRuntime();
      const { step, steps } = this;
      tell({ step, steps, loss: loss as number, ms, memoryMiB: memoryUse().reserved / 2 ** 20 });
      if (step % LOOK_EVERY === 0 || step === 1) await this.look(tell);
      if (step % SAVE_EVERY === 0) await this.save();
    }
    this.isStopped = true;
    this.model.eval();
    if (this.step < this.steps) return;
    tell({ finished: { step: this.step, accuracy: await this.accuracy(), seconds: this.seconds } });
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Loss and accuracy on a part of the validation messages. */
  private async look(tell: (told: Told) => void): Promise<void> {
    const { loss, accuracy } = await this.evaluate(this.loaders.valid, LOOK_BATCHES, true);
    if (!Number.isNaN(loss)) tell({ step: this.step, validLoss: loss, validAccuracy: accuracy });
  }

  /** The accuracy on each part, over all messages. */
  async accuracy(): Promise<{ train: number; valid: number; test: number }> {
    const { train, valid, test } = this.loaders;
    const of = async (loader: Batches) => (await this.evaluate(loader, loader.length)).accuracy;
    // In order: a shuffled pass would draw from the generator that the training goes on with.
    const ordered = makeLoaders({ train: train.dataset, valid: train.dataset, test: train.dataset }, 8).test;
    return { train: await of(ordered), valid: await of(valid), test: await of(test) };
  }

  /** Batch by batch, with a pause after each: a page that asks for something is heard. */
  private async evaluate(loader: Batches, count: number, canStop = false) {
    this.model.eval();
    let [loss, correct, seen, batches] = [0, 0, 0, 0];
    for (const [inputs, labels] of loader) {
      if (batches === count || (canStop && this.isStopped)) break;
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

  private async save(): Promise<void> {
    const about = { place: this.place.save(), process: '', engine: '', settings: { ...this.settings } };
    await saveCheckpoint(FOLDER, this, about);
  }

  /** Goes on from the last checkpoint, if there is one with these settings. */
  goOn(): boolean {
    const checkpoint = findCheckpoint(FOLDER, () => {});
    if (!checkpoint || JSON.stringify(checkpoint.settings) !== JSON.stringify(this.settings)) return false;
    checkpoint.restore({ model: this.model, optimizer: this.optimizer });
    this.place = new TrainingPlace({ losses: [] });
    this.place.restore(checkpoint.place);
    this.loop = this.train();
    return true;
  }
}
