/**
 * The command line of every program here: reads the options that a spec describes, guesses what was meant if
 * something is wrong, and turns a user's mistake into one line and a non-zero exit.
 */

import { constants } from 'node:os';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../../lib/index.ts';
import { nearest } from './nearest.ts';
import {
  checkedValue,
  defaultValues,
  helpText,
  kebab,
  type OptionSpecs,
  type OptionValues,
  UsageError,
} from './options.ts';
import { checkPaths, userPath } from './paths.ts';

export interface ProgramSpec<Options extends OptionSpecs> {
  /** How it is called, e.g. `npm run data --`. */
  command: string;
  /** One or two sentences for --help. */
  summary: string;
  options: Options;
  /** Words beside the options, as --help shows them, e.g. `[TEXT …]`; without it there may be none. */
  words?: string;
}

/** Thrown by `parseOptions` on --help; `runMain` prints the text and ends with 0. */
export class HelpRequested extends Error {
  override name = 'HelpRequested';
}

/** The user has stopped the program; what it had is saved, and the message says how to go on. */
export class Interrupted extends UserError {
  override name = 'Interrupted';
  /** 128 plus the number of the signal, as is the custom. */
  readonly exitCode: number;

  constructor(message: string, signal: 'SIGINT' | 'SIGTERM') {
    super(message);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** What to type for this program to go on from its last checkpoint. */
export function resumeCommand(
  argv: readonly string[] = process.argv,
  environment: Record<string, string | undefined> = process.env,
): string {
  const script = environment.npm_lifecycle_event;
  const program = script ? `npm run ${script} --` : `node --import tsx ${relative(process.cwd(), argv[1])}`;
  const words = argv.slice(2).filter((word) => word !== '--resume');
  return [program, ...words.map(shellWord), '--resume'].join(' ');
}

/** A word as a shell takes it: in quotes if necessary. */
export function shellWord(word: string): string {
  return /^[\w./:=,@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Reads the command line as `parseOptions` does, and checks every path on it, so that none is found wrong after the
 * work that needs it.
 * @throws UserError that names a path which cannot be read or written
 */
export async function readCommandLine<const Options extends OptionSpecs>(
  spec: ProgramSpec<Options>,
  argv?: readonly string[],
): Promise<OptionValues<Options>> {
  const values = parseOptions(spec, argv);
  await checkPaths(spec.options, values);
  return values;
}

/**
 * Reads `argv` (without the program's name) by the spec; a later option wins over an earlier one.
 *
 * @throws UsageError on an unknown option, a missing or ill-formed value, two that exclude each other, a stray
 * argument, or options that npm has kept for itself because the `--` before them was forgotten
 * @throws HelpRequested on --help or -h
 */
export function parseOptions<const Options extends OptionSpecs>(
  spec: ProgramSpec<Options>,
  argv: readonly string[] = process.argv.slice(2),
  environment: Record<string, string | undefined> = process.env,
): OptionValues<Options> {
  return parseCommand(spec, argv, environment).options;
}

/** The same, with the words given besides the options. */
export function parseCommand<const Options extends OptionSpecs>(
  spec: ProgramSpec<Options>,
  argv: readonly string[] = process.argv.slice(2),
  environment: Record<string, string | undefined> = process.env,
): { options: OptionValues<Options>; words: string[] } {
  const byFlag = new Map(
    Object.entries(spec.options).map(([name, option]) => [kebab(name), { name, option }]),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false, // so that the messages are ours
    tokens: true,
    options: Object.fromEntries(
      [...byFlag].map(([flag, { option }]) => [
        flag,
        { type: option.type === 'boolean' ? 'boolean' : 'string' } as const,
      ]),
    ),
  });

  refuseForgottenDashes(spec, argv, environment);
  const values = { ...defaultValues(spec.options), ...valuesFrom(spec.options, environment) };
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (spec.words) {
        words.push(token.value);
        continue;
      }
      const hint = byFlag.has(token.value) ? `did you mean --${token.value}?` : 'options begin with --';
      throw new UsageError(`unexpected argument '${token.value}'; ${hint} (${spec.command} --help)`);
    }
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.rawName === '-h') {
      throw new HelpRequested(helpText(spec.command, spec.summary, spec.options, spec.words));
    }
    const known = token.rawName.startsWith('--') ? byFlag.get(token.name) : undefined;
    if (!known) throw unknownOption(token.rawName, argv[token.index], [...byFlag.keys()]);
    const value = checkedValue(`--${token.name}`, known.option, token.value);
    const isPath = known.option.type === 'path' && !known.option.words?.includes(value as string);
    values[known.name] = isPath ? userPath(value as string, environment) : value;
  }
  refuseContradictions(spec.options, values);
  return { options: values as OptionValues<Options>, words };
}

/** The values that environment variables give. */
function valuesFrom(options: OptionSpecs, environment: Record<string, string | undefined>) {
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'choice' || !option.environment) continue;
    const value = environment[option.environment];
    if (value) values[name] = checkedValue(option.environment, option, value);
  }
  return values;
}

/** @param given as it stands on the command line, where `-rank` was taken for `-r`, `-a`, `-n` and `-k` */
function unknownOption(rawName: string, given: string, flags: readonly string[]): UsageError {
  const meant = nearest(given.replace(/^-+/, '').replace(/=.*/, ''), flags);
  const hint = meant
    ? `did you mean --${meant}? (--help lists all)`
    : `this command takes ${flags.map((flag) => `--${flag}`).join(', ')}${flags.length > 0 ? ' and ' : ''}--help`;
  return new UsageError(`unknown option ${rawName.startsWith('--') ? rawName : given}; ${hint}`);
}

/** npm's own options, which it leaves in the environment of every script where a user's settings have them. */
const OF_NPM = ['json'];

/**
 * `npm run chapter06 --rank=4`, without the `--` that ends npm's own options: npm takes the option as its own, and
 * leaves nothing but `npm_config_rank` in the environment.
 */
function refuseForgottenDashes(
  spec: ProgramSpec<OptionSpecs>,
  argv: readonly string[],
  environment: Record<string, string | undefined>,
): void {
  const stray = spec.words ? [] : argv.filter((word) => !word.startsWith('-'));
  const meant: string[] = [];
  for (const [name, option] of Object.entries(spec.options)) {
    const value = environment[`npm_config_${kebab(name).replaceAll('-', '_')}`];
    if (value === undefined || OF_NPM.includes(name)) continue;
    // `--rank 4`: npm keeps `true` and hands the 4 on as an argument.
    const isBare = value === '' || value === 'true';
    const argument = option.type === 'boolean' ? undefined : isBare ? stray.shift() : value;
    meant.push(`--${kebab(name)}`, ...(argument === undefined ? [] : [argument]));
  }
  if (meant.length === 0) return;
  throw new UsageError(
    `npm took ${meant[0]} for an option of its own; did you mean \`${spec.command} ${meant.join(' ')}\`?`,
  );
}

function refuseContradictions(options: OptionSpecs, values: Record<string, unknown>): void {
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'boolean' || !values[name]) continue;
    const isGiven = (excluded: string) => values[excluded] !== undefined && values[excluded] !== false;
    const other = option.excludes?.find(isGiven);
    if (other) {
      throw new UsageError(`--${kebab(name)} and --${kebab(other)} contradict each other: give one of them`);
    }
  }
}

/** @throws UserError for a Node that lacks what is used here: Array's toSpliced, for example */
export function requireNode(version: string): void {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new UserError(`Node 20.19 or later is needed, and this is ${version}: see https://nodejs.org`);
}

/**
 * Runs a program's main function. A UserError ends it with its one line on stderr and exit code 1 (2 for a
 * mistake on the command line); any other error is a fault of the program and keeps its stack trace.
 */
export async function runMain(main: () => void | Promise<void>): Promise<void> {
  try {
    requireNode(process.versions.node);
    await main();
  } catch (error) {
    if (error instanceof HelpRequested) {
      console.log(error.message);
    } else if (error instanceof Interrupted) {
      console.error(error.message);
      process.exitCode = error.exitCode;
    } else if (error instanceof UserError) {
      console.error(`error: ${error.message}`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    } else {
      console.error(error);
      process.exitCode = 1;
    }
  }
}
