/**
 * The command line of every program here: options described once, checked, explained by --help; and one
 * place where a user's mistake becomes one line and a non-zero exit.
 */

import { parseArgs } from 'node:util';
import { UserError } from '../errors.ts';

/** One option. Its name in the spec is camelCase (`batchSize`); on the command line it is `--batch-size`. */
export type OptionSpec =
  | { type: 'number'; help: string; default?: number; min?: number; max?: number; integer?: boolean }
  | { type: 'string'; help: string; default?: string; placeholder?: string }
  | { type: 'choice'; help: string; choices: readonly string[]; default?: string }
  | { type: 'boolean'; help: string };

export interface ProgramSpec<Options extends Record<string, OptionSpec>> {
  /** How it is called, e.g. `npm run data --`. */
  command: string;
  /** One or two sentences for --help. */
  summary: string;
  options: Options;
}

type Value<S extends OptionSpec> = S extends { type: 'number' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string;

/** An option without a default is undefined when it is not given; a boolean is then false. */
export type OptionValues<Options extends Record<string, OptionSpec>> = {
  [K in keyof Options]: Options[K] extends { type: 'boolean' } | { default: unknown }
    ? Value<Options[K]>
    : Value<Options[K]> | undefined;
};

/** A mistake on the command line itself; exits with 2, as is the custom. */
export class UsageError extends UserError {
  override name = 'UsageError';
}

/** Thrown by `parseOptions` on --help; `runMain` prints the text and ends with 0. */
export class HelpRequested extends Error {
  override name = 'HelpRequested';
}

/**
 * Reads `argv` (without the program's name) by the spec; a later option wins over an earlier one.
 *
 * @throws UsageError on an unknown option, a missing or ill-formed value, or a stray argument
 * @throws HelpRequested on --help or -h
 */
export function parseOptions<const Options extends Record<string, OptionSpec>>(
  spec: ProgramSpec<Options>,
  argv: readonly string[] = process.argv.slice(2),
): OptionValues<Options> {
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

  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(spec.options)) {
    values[name] = option.type === 'boolean' ? false : option.default;
  }
  for (const token of tokens) {
    if (token.kind === 'positional') {
      throw new UsageError(
        `unexpected argument '${token.value}'; options begin with -- (${spec.command} --help)`,
      );
    }
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.rawName === '-h') throw new HelpRequested(helpText(spec));
    const known = token.rawName.startsWith('--') ? byFlag.get(token.name) : undefined;
    if (!known) {
      const flags = [...byFlag.keys()].map((flag) => `--${flag}`).join(', ');
      throw new UsageError(`unknown option ${token.rawName}; this command takes ${flags} and --help`);
    }
    values[known.name] = checkedValue(`--${token.name}`, known.option, token.value);
  }
  return values as OptionValues<Options>;
}

/** Checks and converts one value; `flag` is for the message. */
function checkedValue(flag: string, option: OptionSpec, value: string | undefined): unknown {
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${flag} takes no value, but got '${value}'`);
    return true;
  }
  const wanted = expectation(option);
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw new UsageError(`${flag} needs a value: ${wanted}`);
  }
  if (option.type === 'number') {
    const number = Number(value);
    const fits =
      value.trim() !== '' &&
      Number.isFinite(number) &&
      (!option.integer || Number.isSafeInteger(number)) &&
      number >= (option.min ?? Number.NEGATIVE_INFINITY) &&
      number <= (option.max ?? Number.POSITIVE_INFINITY);
    if (!fits) throw new UsageError(`${flag} must be ${wanted}, not '${value}'`);
    return number;
  }
  if (option.type === 'choice' && !option.choices.includes(value)) {
    throw new UsageError(`${flag} must be ${wanted}, not '${value}'`);
  }
  return value;
}

/** What a value must be, in words: `a whole number from 1 to 64`. */
function expectation(option: Exclude<OptionSpec, { type: 'boolean' }>): string {
  if (option.type === 'choice') return `one of ${option.choices.join(', ')}`;
  if (option.type === 'string') return option.placeholder ?? 'a text';
  const kind = option.integer ? 'a whole number' : 'a number';
  const { min, max } = option;
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind}, at least ${min}`;
  if (max !== undefined) return `${kind}, at most ${max}`;
  return kind;
}

/** The text of --help: usage, summary, and one line for each option with what it takes and its default. */
export function helpText(spec: ProgramSpec<Record<string, OptionSpec>>): string {
  const rows = Object.entries(spec.options).map(([name, option]) => {
    const notes: string[] = [];
    if (option.type === 'choice') notes.push(option.choices.join(' | '));
    if (option.type !== 'boolean' && option.default !== undefined) notes.push(`default ${option.default}`);
    const note = notes.length > 0 ? ` (${notes.join('; ')})` : '';
    return [`--${kebab(name)}${argumentName(option)}`, option.help + note];
  });
  rows.push(['--help', 'print this and end']);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const lines = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  return `Usage: ${spec.command} [options]\n\n${spec.summary}\n\n${lines.join('\n')}`;
}

function argumentName(option: OptionSpec): string {
  if (option.type === 'boolean') return '';
  if (option.type === 'number') return ' N';
  return ` ${(option.type === 'string' && option.placeholder) || 'NAME'}`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Runs a program's main function. A UserError ends it with its one line on stderr and exit code 1 (2 for a
 * mistake on the command line); any other error is a fault of the program and keeps its stack trace.
 */
export async function runMain(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (error instanceof HelpRequested) {
      console.log(error.message);
    } else if (error instanceof UserError) {
      console.error(`error: ${error.message}`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    } else {
      console.error(error);
      process.exitCode = 1;
    }
  }
}
