/**
 * A training loop that can be stopped, or killed, and gone on with to the same bits:
 *
 *      TrainingPlace    where the loop is: its epochs and its batches come from here
 *      runTraining      takes its steps, and saves everything that changes now and then
 *      a checkpoint     all of that in one file; the one before it is kept until the next is whole
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  activeEngine,
  io,
  type nn,
  noGrad,
  type optim,
  random,
  type Tensor,
  UserError,
  yieldToRuntime,
} from '../../lib/index.ts';
import type { BestWeights } from './best-weights.ts';
import { Interrupted, resumeCommand } from './command-line.ts';
import { Progress } from './progress.ts';
import {
  type PlannedRun,
  requireSameSettings,
  type Settings,
  STEPS,
  settingsOf,
  TRAINING_OPTIONS,
} from './same-run.ts';

export {
  fingerprint,
  fingerprintOfWeights,
  type SavingOptions,
  settingsThatDiffer,
  TRAINING_OPTIONS,
} from './same-run.ts';

/**
 * Where a training loop is: the loop takes its epochs and batches from here, and keeps here what it has seen and printed,
 * so that it can be left after any step and entered again as if nothing had happened.
 *
 *     for (const epoch of place.epochs(numEpochs)) {
 *       for (const [inputs, targets] of place.batches(trainLoader)) {
 *         …one step, the number `place.step`…
 *         yield loss.item();
 *       }
 *     }
 */
export class TrainingPlace<History extends object> {
  /** The pass over the data under way, from 1. */
  epoch = 1;
  /** The step under way, from 0; −1 before the first. */
  step = -1;
  /** Examples or tokens seen, whichever the loop counts. */
  seen = 0;
  readonly history: History;
  private readonly lines: string[] = [];
  /** Batches taken from the loader in this epoch. */
  private batch = 0;
  /** The generator when this epoch began: the order of its batches follows from it. */
  private epochStart = random.defaultGenerator.getState();
  /** Where the generator has to go on from, after `restore`. */
  private generator: random.GeneratorState | undefined;

  /** @param history where the loop keeps its losses: an object of arrays and numbers */
  constructor(history: History) {
    this.history = history;
  }

  /** The passes that are left. */
  *epochs(numEpochs: number): Generator<number> {
    if (this.batch === 0) this.restoreGenerator();
    while (this.epoch <= numEpochs) {
      yield this.epoch;
      this.epoch++;
      this.batch = 0;
    }
  }

  /** The batches of this epoch that are left. Those already done are taken from the loader again, and skipped. */
  *batches<Batch>(loader: Iterable<Batch>): Generator<Batch> {
    if (this.batch > 0) random.defaultGenerator.setState(this.epochStart);
    else this.epochStart = random.defaultGenerator.getState();
    const batches = loader[Symbol.iterator]();
    for (let behind = 0; behind < this.batch; behind++) batches.next();
    this.restoreGenerator();
    for (let next = batches.next(); !next.done; next = batches.next()) {
      this.batch++;
      this.step++;
      yield next.value;
    }
  }

  /** Prints through `print`, and keeps the lines: a resumed run begins with what was printed before. */
  printer(print: (line: string) => void): (line: string) => void {
    for (const line of this.lines) print(line);
    return (line) => {
      this.lines.push(line);
      print(line);
    };
  }

  /** All of it as plain data, to go on from after this step. */
  save() {
    const { epoch, batch, step, seen, history, lines, epochStart } = this;
    const generator = random.defaultGenerator.getState();
    return { epoch, batch, step, seen, history: history as object, lines, epochStart, generator };
  }

  /** Takes over a saved place, before the loop begins. */
  restore({ history, lines, generator, ...rest }: SavedPlace): void {
    Object.assign(this, rest);
    Object.assign(this.history, history);
    for (const line of lines) this.lines.push(line);
    this.generator = generator;
  }

  private restoreGenerator(): void {
    if (this.generator) random.defaultGenerator.setState(this.generator);
    this.generator = undefined;
  }
}

/** A place as it is kept in a checkpoint. */
export type SavedPlace = ReturnType<TrainingPlace<object>['save']>;

/** Runs a training loop to its end, without a pause, and returns what it returns. */
export function runToEnd<Result>(
  steps: Generator<number, Result>,
  onStep?: (step: number, loss: number) => void,
): Result {
  for (let step = 0; ; step++) {
    const { done, value } = steps.next();
    if (done) return value;
    onStep?.(step, value);
  }
}

/** The weights that train, and what the optimiser remembers of them. */
export interface Trained {
  model: nn.Module;
  optimizer: optim.Optimizer;
  /** Where the weights of the best epoch are to come out in the end: those of the best one so far. */
  best?: BestWeights;
}

export interface TrainingRun<History extends object> extends PlannedRun, Trained {
  /** Shown beside the progress. */
  label: string;
  /** An empty history, for the loop to fill. */
  history: History;
}

/** Names what this process has written. */
const THIS_PROCESS = randomUUID();

let isSecondAttempt = false;

/** After a lost GPU a program runs once more, from its beginning, and goes on from checkpoints that it has written itself. */
export function takeUpOwnCheckpoints(whether: boolean): void {
  isSecondAttempt = whether;
}

/** Room for the smallest run's checkpoints. */
const LEAST_ROOM = 8e6;

/**
 * Looks at everything that could stop the run later, as soon as its options and data are known: minutes may pass before it
 * begins.
 *
 * @throws UserError if --resume meets a run with other options or data, a run that was stopped would be overwritten without
 * --anew, or the disk is full
 */
export async function checkRun(run: PlannedRun, room = LEAST_ROOM): Promise<void> {
  const { folder, options, totalSteps } = run;
  if (totalSteps === 0) return;
  await io.requireRoom(folder, room);
  const found = readLast(folder);
  if (!found || isSecondAttempt) return;
  if (options.resume) return requireSameSettings(found.settings, settingsOf(run), folder);
  const [done, all] = [found.place.step + 1, Number(found.settings[STEPS])];
  if (options.anew || !(done < all)) return;
  throw new UserError(
    `${folder} has the checkpoint of a run that was stopped after step ${done} of ${all}: ` +
      'go on with --resume, or begin again with --anew, which replaces it',
  );
}

/**
 * Runs a training loop to its end and returns what it returns.
 *
 * Every `saveEvery` steps, at the end, and on Ctrl-C everything that changes is saved. With `resume` the run goes on from
 * there, and ends with the numbers, bit for bit, of one that was never stopped.
 *
 * @param steps makes the loop, a generator that yields the loss after every step, from the place it begins at
 * @throws UserError where `checkRun` does, if the loss is not a number any more, or a checkpoint cannot be written
 * @throws Interrupted after Ctrl-C, when all is saved
 */
export async function runTraining<History extends object, Result>(
  run: TrainingRun<History>,
  steps: (place: TrainingPlace<History>) => Generator<number, Result>,
): Promise<Result> {
  const { folder, totalSteps, options } = run;
  const numbers = Object.values(weightsThatTrain(run.model)).reduce((sum, { size }) => sum + size, 0);
  await checkRun(run, (run.best ? 4 : 3) * 4 * numbers); // the weights, AdamW's two moments, the best weights: 4 bytes each
  const saveEvery = options.saveEvery ?? TRAINING_OPTIONS.saveEvery.default;
  const place = new TrainingPlace(run.history);
  if (options.resume || isSecondAttempt) goOn(run, place);
  const loop = steps(place);
  const progress = new Progress(`  ${run.label}`, totalSteps, place.step + 1);
  let savedStep = place.step;
  const save = async () => {
    if (place.step === savedStep) return;
    const about = { process: THIS_PROCESS, engine: activeEngine(), settings: settingsOf(run) };
    await saveCheckpoint(folder, run, { place: place.save(), ...about });
    savedStep = place.step;
  };
  // Ctrl-C and `kill` are kept until the step is done, instead of ending the process at once.
  let received: NodeJS.Signals | undefined;
  const listener = (signal: NodeJS.Signals) => {
    received = signal;
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  try {
    for (;;) {
      const { done, value } = loop.next();
      if (done) {
        await save();
        return value;
      }
      requireNumber(value, place.step);
      progress.update(place.step + 1, `loss ${value.toFixed(3)}`);
      if ((place.step + 1) % saveEvery === 0) await save();
      await yieldToRuntime(); // a signal arrives now, and the memory of dead tensors comes back
      if (!received) continue;
      await save();
      throw new Interrupted(
        `stopped after step ${place.step + 1} of ${totalSteps}, all is saved; go on with: ${resumeCommand()}`,
        received as 'SIGINT' | 'SIGTERM',
      );
    }
  } finally {
    progress.stop();
    // After one signal they stay: npm passes it on, and the second one would end the process before its line.
    if (!received) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, listener);
  }
}

/** Puts the run where its last checkpoint was, if there is one. */
function goOn(run: TrainingRun<object>, place: TrainingPlace<object>): void {
  const checkpoint = findCheckpoint(run.folder, run.print);
  const isForeign = !run.options.resume && checkpoint?.process !== THIS_PROCESS;
  if (!checkpoint || isForeign) {
    run.print(`No checkpoint in ${run.folder}: from the beginning`);
    return;
  }
  requireSameSettings(checkpoint.settings, settingsOf(run), run.folder);
  checkpoint.restore(run);
  place.restore(checkpoint.place);
  const other = checkpoint.engine !== activeEngine() ? `, which ran on ${checkpoint.engine}` : '';
  run.print(`Going on after step ${place.step + 1} of ${run.totalSteps}${other}`);
}

function requireNumber(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new UserError(
    `the loss of step ${step + 1} is ${loss}: the training has diverged, or the weights hold NaN or infinity; ` +
      'try a smaller learning rate (--lr)',
  );
}

const LAST = 'checkpoint.safetensors';
const BEFORE = 'checkpoint-before.safetensors';
/** Complete, but not yet under its name. */
const NEXT = 'checkpoint-next.safetensors';

/** What goes into a checkpoint beside the weights that train and the optimiser's memory. */
export interface AboutRun {
  place: SavedPlace;
  /** The process that wrote it. */
  process: string;
  /** The engine it ran on: on another one the last digits differ. */
  engine: string;
  /** What a run must have in common with this one to go on from here, by the name a user knows it by. */
  settings: Settings;
}

export interface Checkpoint extends AboutRun {
  /** Puts weights and optimiser back. @throws UserError if they are another model's */
  restore(trained: Trained): void;
}

/**
 * Writes a checkpoint into the folder.
 * @throws UserError if it cannot be written; the ones that are there then stay whole
 */
export async function saveCheckpoint(folder: string, trained: Trained, about: AboutRun): Promise<void> {
  const tensors = {
    ...withPrefix('model.', weightsThatTrain(trained.model)),
    ...withPrefix('optimizer.', trained.optimizer.stateDict()),
    ...withPrefix('best.', trained.best?.stateDict() ?? {}),
  };
  const run = stringify(about);
  const [next, last, before] = [NEXT, LAST, BEFORE].map((name) => join(folder, name));
  await io.saveTensors(next, tensors, { metadata: { run, sha256: digest(run, tensors) } });
  if (existsSync(last)) await rename(last, before);
  await rename(next, last);
}

/** The newest whole checkpoint in the folder. Damaged ones are reported through `print`. */
export function findCheckpoint(folder: string, print: (line: string) => void): Checkpoint | undefined {
  for (const name of [LAST, BEFORE]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    try {
      return readCheckpoint(path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(`${error.message}: ${name === LAST ? 'trying the one before' : 'it is left aside'}`);
    }
  }
  return undefined;
}

/** @throws UserError if the file is damaged */
function readCheckpoint(path: string): Checkpoint {
  const { run, sha256 } = metadataOf(path);
  const tensors = io.loadTensors(path, 'the checkpoint');
  if (sha256 !== digest(run, tensors)) {
    throw new UserError(`${path} is damaged, its contents do not fit its SHA-256`);
  }
  return {
    ...(parse(run) as AboutRun),
    restore({ model, optimizer, best }) {
      fillWeights(model, withoutPrefix('model.', tensors), path);
      optimizer.loadStateDict(withoutPrefix('optimizer.', tensors));
      best?.loadStateDict(withoutPrefix('best.', tensors));
    },
  };
}

/** What the newest checkpoint in the folder says of its run, without its numbers; undefined if there is none, or it is damaged. */
function readLast(folder: string): AboutRun | undefined {
  for (const name of [LAST, BEFORE]) {
    try {
      return parse(metadataOf(join(folder, name)).run) as AboutRun;
    } catch {
      // missing or damaged: the one before it may be whole
    }
  }
  return undefined;
}

function metadataOf(path: string): Record<string, string> {
  const file = io.openSafetensors(path, 'the checkpoint');
  file.close();
  return file.metadata;
}

/** The parameters of a model that are not frozen: nothing else changes in training. */
function weightsThatTrain(model: nn.Module): Record<string, Tensor> {
  const trained = [...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
  return Object.fromEntries(trained);
}

/** @throws UserError if the file holds other parameters than those that train here */
function fillWeights(model: nn.Module, saved: Record<string, Tensor>, path: string): void {
  const trained = weightsThatTrain(model);
  const sizes = (weights: Record<string, Tensor>) =>
    Object.entries(weights).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  const [found, expected] = [new Set(sizes(saved)), new Set(sizes(trained))];
  const [other] = [...found, ...expected].filter((size) => !(found.has(size) && expected.has(size)));
  if (other)
    throw new UserError(
      `${path} is of another model: ${other} does not fit; give the options it was made with`,
    );
  noGrad(() => {
    for (const [name, parameter] of Object.entries(trained)) parameter.copyInPlace(saved[name]);
  });
}

/** Of the text and of every tensor, by name. */
function digest(text: string, tensors: Record<string, Tensor>): string {
  const hashes = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { storage, offset, size } = tensors[name].contiguous();
      const { buffer, byteOffset, byteLength } = storage.data.subarray(offset, offset + size);
      return `${name} ${io.sha256(new Uint8Array(buffer, byteOffset, byteLength))}`;
    });
  return io.sha256(new TextEncoder().encode([text, ...hashes].join('\n')));
}

function withPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function withoutPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

// JSON has no NaN, no infinities and no typed arrays; a history may have the first, a generator has the last.

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === 'number' && !Number.isFinite(item)) return { $number: String(item) };
    return item instanceof Uint32Array ? { $words: [...item] } : item;
  });
}

function parse(text: string): unknown {
  return JSON.parse(text, (_key, item) => {
    if (item?.$number !== undefined) return Number(item.$number);
    return item?.$words !== undefined ? Uint32Array.from(item.$words) : item;
  });
}
