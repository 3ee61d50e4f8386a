/**
 * A training loop as Node runs it: step by step, with a turn of the event loop in between, so that the run can be
 * stopped, is saved now and then, and can go on from where it was.
 */

import { randomUUID } from 'node:crypto';
import { activeEngine, UserError, yieldToRuntime } from '../../lib/index.ts';
import { type Checkpoint, findCheckpoint, saveCheckpoint, type Trained } from './checkpoint.ts';
import { Interrupted, resumeCommand } from './command-line.ts';
import { kebab, type OptionSpecs, type OptionValues } from './options.ts';
import { Progress } from './progress.ts';
import { TrainingPlace } from './training-place.ts';

/** The options of every command that trains. */
export const TRAINING_OPTIONS = {
  saveEvery: { type: 'number', help: 'steps between two checkpoints', default: 50, min: 1, integer: true },
  resume: { type: 'boolean', help: 'go on from the last checkpoint of a run that was stopped' },
} as const satisfies OptionSpecs;

export type SavingOptions = Partial<OptionValues<typeof TRAINING_OPTIONS>>;

/** Options that may differ in a resumed run: they change no number, or, like the engine, only last digits. */
const FREE_OPTIONS = ['saveEvery', 'resume', 'json', 'out', 'threads', 'backend', 'gpuMode'];

export interface TrainingRun<History extends object> extends Trained {
  /** Shown beside the progress. */
  label: string;
  /** Where the checkpoints go: a folder of this training alone. */
  folder: string;
  /** The options of the command. `saveEvery` and `resume` are among them; none that changes a number may differ. */
  options: SavingOptions;
  /** Other facts that the numbers depend on, in words: which text, which weights. */
  facts?: Record<string, string | number>;
  totalSteps: number;
  /** An empty history, for the loop to fill. */
  history: History;
  print: (line: string) => void;
}

/** Names what this process has written. */
const THIS_PROCESS = randomUUID();

let isSecondAttempt = false;

/**
 * After a lost GPU a program runs once more from its beginning, and continues from the checkpoints it has written
 * itself.
 */
export function takeUpOwnCheckpoints(whether: boolean): void {
  isSecondAttempt = whether;
}

/**
 * Runs a training loop to its end and returns what it returns.
 *
 * Every `saveEvery` steps, at the end, and on Ctrl-C everything that changes is saved. With `resume` the run goes on from
 * there, and ends with the numbers, bit for bit, of one that was never stopped.
 *
 * @param steps makes the loop, a generator that yields the loss after every step, from the place it begins at
 * @throws UserError if the loss is not a number any more, a checkpoint cannot be written, or the one to go on from
 * belongs to a run with other options
 * @throws Interrupted after Ctrl-C, when all is saved
 */
export async function runTraining<History extends object, Result>(
  run: TrainingRun<History>,
  steps: (place: TrainingPlace<History>) => Generator<number, Result>,
): Promise<Result> {
  const { totalSteps, options } = run;
  const saveEvery = options.saveEvery ?? TRAINING_OPTIONS.saveEvery.default;
  const place = new TrainingPlace(run.history);
  if (options.resume || isSecondAttempt) goOn(run, place);
  const loop = steps(place);
  const progress = new Progress(`  ${run.label}`, totalSteps, place.step + 1);
  const stop = new StopSignal();
  let savedStep = place.step;
  const save = async () => {
    const about = {
      place: place.save(),
      process: THIS_PROCESS,
      engine: activeEngine(),
      settings: settingsOf(run),
    };
    await saveCheckpoint(run.folder, run, about);
    savedStep = place.step;
  };
  try {
    for (;;) {
      const { done, value } = loop.next();
      if (done) {
        if (place.step > savedStep) await save();
        return value;
      }
      requireNumber(value, place.step);
      progress.update(place.step + 1, `loss ${value.toFixed(3)}`);
      if ((place.step + 1) % saveEvery === 0) await save();
      await yieldToRuntime(); // a signal arrives now, and the memory of dead tensors comes back
      if (!stop.received) continue;
      if (place.step > savedStep) await save();
      throw new Interrupted(
        `stopped after step ${place.step + 1} of ${totalSteps}, all is saved; go on with: ${resumeCommand()}`,
        stop.received,
      );
    }
  } finally {
    progress.stop();
    // Once received it stays open: npm passes the signal on, and the second one would end the process before its line.
    if (!stop.received) stop.close();
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
  requireSameSettings(checkpoint, settingsOf(run), run.folder);
  checkpoint.restore(run);
  place.restore(checkpoint.place);
  const other = checkpoint.engine !== activeEngine() ? `, which ran on ${checkpoint.engine}` : '';
  run.print(`Going on after step ${place.step + 1} of ${run.totalSteps}${other}`);
}

/** All that two runs must have in common to be the same run, by the names a user knows. */
function settingsOf({ options, facts, totalSteps }: TrainingRun<object>): Record<string, unknown> {
  const given = Object.entries(options).filter(([name, value]) => {
    return value !== undefined && !FREE_OPTIONS.includes(name);
  });
  const named = given.map(([name, value]) => [`--${kebab(name)}`, value]);
  return { ...Object.fromEntries(named), ...facts, 'number of steps': totalSteps };
}

function requireSameSettings(
  checkpoint: Checkpoint,
  settings: Record<string, unknown>,
  folder: string,
): void {
  const differences = settingsThatDiffer(checkpoint.settings, settings);
  if (differences.length === 0) return;
  throw new UserError(
    `the checkpoint in ${folder} is of another run, they differ in ${differences.join(', ')}: ` +
      'give the same options, or leave --resume out to begin anew',
  );
}

/** The differences between a run and the checkpoint that it wants to go on from, in words. */
export function settingsThatDiffer(there: Record<string, unknown>, here: Record<string, unknown>): string[] {
  const names = [...new Set([...Object.keys(there), ...Object.keys(here)])];
  const differing = names.filter((name) => JSON.stringify(there[name]) !== JSON.stringify(here[name]));
  const show = (value: unknown) => (value === undefined ? 'not given' : String(value));
  return differing.map((name) => `${name} (${show(there[name])} there, ${show(here[name])} here)`);
}

function requireNumber(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new UserError(
    `the loss of step ${step + 1} is ${loss}: the training has diverged, or the weights hold NaN or infinity; ` +
      'try a smaller learning rate (--lr)',
  );
}

/** Ctrl-C, or `kill`, while it is open: kept until the step is done, instead of ending the process at once. */
class StopSignal {
  received: 'SIGINT' | 'SIGTERM' | undefined;
  private readonly listener = (signal: NodeJS.Signals) => {
    this.received = signal as 'SIGINT' | 'SIGTERM';
  };

  constructor() {
    process.on('SIGINT', this.listener);
    process.on('SIGTERM', this.listener);
  }

  close(): void {
    process.off('SIGINT', this.listener);
    process.off('SIGTERM', this.listener);
  }
}
