/**
 * The command line of every program here, on commander: reads the options that a spec describes, guesses what was meant
 * if something is wrong, and turns a user's mistake into one line and a non-zero exit.
 */

import { constants } from 'node:os';
import { relative } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { UserError } from '../../lib/index.ts';
import {
  checkedValue,
  conditionsInWords,
  defaultValues,
  expectation,
  kebab,
  OPTION_GROUPS,
  type OptionSpec,
  type OptionSpecs,
  type OptionValues,
  refuseIgnored,
  UsageError,
} from './options.ts';
import { checkPaths, userPath } from './paths.ts';

export interface ProgramSpec<Options extends OptionSpecs> {
  /** How it is called, e.g. `npm run data --`. */
  command: string;
  /** One or two sentences for --help. */
  summary: string;
  options: Options;
  /** The program's own folder in those that it writes to; without it the whole of them is its own. */
  folder?: string;
  /** Words beside the options, as --help shows them, e.g. `[TEXT …]`; without it there may be none. */
  words?: string;
  /** Whole commands that are worth trying, shown below --help. */
  examples?: readonly string[];
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
  await checkPaths(spec.options, values, spec.folder);
  return values;
}

/**
 * Reads `argv` (without the program's name) by the spec.
 *
 * @throws UsageError on an unknown option, a missing or ill-formed value, an option given twice, two that exclude each
 * other, one that the others make ignored, a stray argument, or options that npm has kept for itself because the `--` before them was forgotten
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
  refuseForgottenDashes(spec, argv, environment);
  const flags = Object.keys(spec.options).map(kebab);
  const [command, printed] = commandOf(spec, environment);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') throw new HelpRequested(printed());
    throw mistakeOf(error, spec.options);
  }
  const [stray] = command.args;
  if (stray !== undefined && !spec.words) {
    const meant = nearest(stray, flags);
    const hint = meant ? `did you mean --${meant}?` : 'options begin with --';
    throw new UsageError(`unexpected argument '${stray}'; ${hint} (${spec.command} --help)`);
  }
  const given = command.opts();
  const values = {
    ...defaultValues(spec.options),
    ...valuesFrom(spec.options, environment),
    ...given,
  };
  refuseIgnored(spec.options, Object.keys(given), values);
  return { options: values as OptionValues<Options>, words: command.args };
}

/** The program as commander knows it, and what commander has printed for --help. */
function commandOf(
  { command: name, summary, options, words = '', examples = [] }: ProgramSpec<OptionSpecs>,
  environment: Record<string, string | undefined>,
): [Command, () => string] {
  let printed = '';
  const command = silent(new Command(name))
    .usage(`[options]${words && ` ${words}`}`)
    .description(summary)
    .allowExcessArguments() // refused by us, with a guess
    .configureHelp({ styleDescriptionText: (text) => text })
    .configureOutput({
      writeOut: (text) => (printed += text),
      getOutHelpWidth: () => Math.min(process.stdout.columns || 80, 100),
    });
  const ofGroup = ([, { group }]: [string, OptionSpec]) => (group ? OPTION_GROUPS.indexOf(group) : -1);
  const ordered = Object.entries(options).sort((a, b) => ofGroup(a) - ofGroup(b));
  for (const [key, spec] of ordered) {
    const flag = `--${kebab(key)}`;
    const option = new Option(flag + argumentName(spec), spec.help + notes(spec));
    if (spec.group) option.helpGroup(`${spec.group}:`);
    if (spec.type === 'boolean') option.conflicts([...(spec.excludes ?? [])]);
    option.argParser((value: string) => {
      const checked = checkedValue(flag, spec, value);
      const isPath = spec.type === 'path' && !spec.words?.includes(value);
      return isPath ? userPath(value, environment) : checked;
    });
    command.addOption(option);
    let isGiven = false;
    command.on(`option:${kebab(key)}`, () => {
      if (isGiven) throw new UsageError(`${flag} is given twice: give it once`);
      isGiven = true;
    });
  }
  const help = new Option('-h, --help', 'print this and end');
  command.addHelpOption(ordered.some(([, { group }]) => group) ? help.helpGroup('Help:') : help);
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n  ${examples.join('\n  ')}`);
  return [command, () => printed.trimEnd()];
}

/** A command that prints nothing and ends nothing: its mistakes are thrown. */
function silent(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => {} });
}

function argumentName(option: OptionSpec): string {
  if (option.type === 'boolean') return '';
  if (option.type === 'number') return ' <N>';
  const placeholder = option.type === 'choice' ? undefined : option.placeholder;
  return ` <${placeholder ?? 'NAME'}>`;
}

/** The choices and the default, as --help shows them. */
function notes(option: OptionSpec): string {
  const parts: string[] = [];
  if (option.type === 'choice') parts.push(option.choices.join(' | '));
  if (option.type !== 'boolean' && option.default !== undefined) parts.push(`default ${option.default}`);
  if (option.counts) parts.push(conditionsInWords(option.counts));
  return parts.length > 0 ? ` (${parts.join('; ')})` : '';
}

/** A mistake that commander has found, in one line of ours. */
function mistakeOf({ code, message }: CommanderError, options: OptionSpecs): UserError {
  const [given, other] = message.match(/(?<=option ')-[^ ']*/g) ?? [];
  const [, flag, value] = /^([^=]*)(?:=(.*))?$/s.exec(given ?? '')!;
  if (code === 'commander.conflictingOption') {
    return new UsageError(`${flag} and ${other} contradict each other: give one of them`);
  }
  const known = Object.entries(options).find(([name]) => `--${kebab(name)}` === flag)?.[1];
  if (known?.type === 'boolean') return new UsageError(`${flag} takes no value, but got '${value}'`);
  if (known) return new UsageError(`${flag} needs a value: ${expectation(known)}`);
  const flags = Object.keys(options).map(kebab);
  const meant = nearest(flag.replace(/^-+/, ''), flags);
  const hint = meant
    ? `did you mean --${meant}? (--help lists all)`
    : `this command takes ${flags.map((each) => `--${each}`).join(', ')}${flags.length > 0 ? ' and ' : ''}--help`;
  return new UsageError(`unknown option ${flag}; ${hint}`);
}

/** The name that was probably meant, if one is near: commander's guess. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const command = silent(new Command().helpOption(false));
  for (const name of names) command.option(`--${name}`);
  try {
    command.parse([`--${given}`], { from: 'user' });
    return given;
  } catch (error) {
    return /mean (?:one of )?--([\w-]+)/.exec((error as Error).message)?.[1];
  }
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
