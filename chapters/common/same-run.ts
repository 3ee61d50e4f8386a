/** Which run is which: what two runs must have in common for one to go on from the checkpoint of the other. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { type Conditions, kebab, type OptionSpecs, type OptionValues } from './options.ts';

/** Where there is a training: a command whose `--epochs` may be 0 has none then. */
export const IS_TRAINED: readonly Conditions[] = [{ epochs: { above: 0 } }];

/** What every command that trains takes. */
export const TRAINING_OPTIONS = {
  saveEvery: { type: 'number', help: 'steps between two checkpoints', default: 50, min: 1, integer: true },
  resume: { type: 'boolean', help: 'go on from the last checkpoint of a run that was stopped' },
  anew: {
    type: 'boolean',
    help: 'begin again where a run was stopped: its checkpoint is replaced',
    excludes: ['resume'],
  },
} as const satisfies OptionSpecs;

export type SavingOptions = Partial<OptionValues<typeof TRAINING_OPTIONS>>;

/** Options that may differ in a resumed run: they change no number or, like the engine, only last digits. */
const FREE_OPTIONS = [
  ...['saveEvery', 'resume', 'anew', 'json', 'quiet', 'modules', 'out', 'threads', 'backend', 'gpuMode'],
];
/** Paths: what lies there is compared, among the `facts`, and not where it lies. */
const PATHS = ['data', 'validationData', 'testData', 'text', 'sms', 'weights'];

/** What is known of a run before there is a model. */
export interface PlannedRun {
  /** Where the checkpoints go: a folder of this training alone. */
  folder: string;
  /** The options of the command. Those above are among them; none that changes a number may differ. */
  options: SavingOptions;
  /** What else the numbers depend on, by the names that a user knows: see `fingerprint`. */
  facts?: Record<string, string | number | undefined>;
  totalSteps: number;
  print: (line: string) => void;
}

/** Some content in a few letters: the same wherever it comes from, others when anything in it is changed. */
export function fingerprint(content: unknown): string {
  return `SHA-256 ${io.sha256(new TextEncoder().encode(JSON.stringify(content))).slice(0, 12)}`;
}

/** The same for a file of weights, or a folder with them; undefined without a path. @throws UserError if it cannot be read */
export async function fingerprintOfWeights(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const isFolder = io.kindOfPath(path) === 'folder';
  const names = isFolder ? (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort() : [];
  const paths = isFolder ? names.map((name) => join(path, name)) : [path];
  return fingerprint(await Promise.all(paths.map((each) => io.sha256OfFile(each))));
}

/** The name of that setting. */
export const STEPS = 'number of steps';

/** All that two runs must have in common to be the same run, by the names a user knows. */
export function settingsOf({ options, facts, totalSteps }: PlannedRun): Record<string, unknown> {
  const compared = Object.entries(options).filter(([name, value]) => {
    return value !== undefined && ![...FREE_OPTIONS, ...PATHS].includes(name);
  });
  const named = compared.map(([name, value]) => [`--${kebab(name)}`, value]);
  return { ...Object.fromEntries(named), ...facts, [STEPS]: totalSteps };
}

export type Settings = Record<string, unknown>;

/** @throws UserError that names every difference */
export function requireSameSettings(there: Settings, here: Settings, folder: string): void {
  const differences = settingsThatDiffer(there, here);
  if (differences.length === 0) return;
  throw new UserError(
    `the checkpoint in ${folder} is of another run, they differ in ${differences.join(', ')}: ` +
      'give the same options and data, or --anew in place of --resume to begin again',
  );
}

/** What a run that wants to go on from a checkpoint has not in common with it, in words. */
export function settingsThatDiffer(there: Settings, here: Settings): string[] {
  const names = [...new Set([...Object.keys(there), ...Object.keys(here)])];
  const differing = names.filter((name) => JSON.stringify(there[name]) !== JSON.stringify(here[name]));
  const show = (value: unknown) => (value === undefined ? 'not given' : String(value));
  return differing.map((name) => `${name} (${show(there[name])} there, ${show(here[name])} here)`);
}
