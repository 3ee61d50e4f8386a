/**
 * A training loop that can be stopped, or killed, and gone on with to the same bits:
 *
 *      TrainingPlace    where the loop is: its epochs and its batches come from here
 *      runTraining      takes its steps, and saves everything that changes now and then
 *      a checkpoint     all of that in one file (lib/io/training-checkpoint.ts)
 */

import { randomUUID } from 'node:crypto';
import { activeEngine, io, random, UserError, yieldToRuntime } from '../../lib/index.ts';
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
  IS_TRAINED,
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

export interface TrainingRun<History extends object> extends PlannedRun, io.Trained {
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

/** What a checkpoint says of its run, beside the weights that train and the optimiser's memory. */
export interface AboutRun {
  place: SavedPlace;
  /** The process that wrote it. */
  process: string;
  /** The engine it ran on: on another one the last digits differ. */
  engine: string;
  /** What a run must have in common with this one to go on from here, by the name a user knows it by. */
  settings: Settings;
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
  const found = io.readAboutCheckpoint<AboutRun>(folder);
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
  const trained = run.model.parameters().filter(({ requiresGrad }) => requiresGrad);
  const numbers = trained.reduce((sum, { size }) => sum + size, 0);
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
    await io.writeCheckpoint<AboutRun>(folder, run, { place: place.save(), ...about });
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
  const checkpoint = io.findCheckpoint<AboutRun>(run.folder, run.print);
  const isForeign = !run.options.resume && checkpoint?.about.process !== THIS_PROCESS;
  if (!checkpoint || isForeign) {
    run.print(`No checkpoint in ${run.folder}: from the beginning`);
    return;
  }
  requireSameSettings(checkpoint.about.settings, settingsOf(run), run.folder);
  checkpoint.restore(run);
  place.restore(checkpoint.about.place);
  const other = checkpoint.about.engine !== activeEngine() ? `, which ran on ${checkpoint.about.engine}` : '';
  run.print(`Going on after step ${place.step + 1} of ${run.totalSteps}${other}`);
}

function requireNumber(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new UserError(
    `the loss of step ${step + 1} is ${loss}: the training has diverged, or the weights hold NaN or infinity; ` +
      'try a smaller learning rate (--lr)',
  );
}
