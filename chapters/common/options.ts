/**
 * What a program can be told, described once as plain data: the command line reads it (command-line.ts), --help prints
 * it, and a page in the browser can make a form of it.
 */

import { UserError } from '../../lib/index.ts';

/** One option. Its name in the spec is camelCase (`batchSize`); on the command line it is `--batch-size`. */
export type OptionSpec = {
  help: string;
  group?: OptionGroup;
  /** Where it counts, one of these is so. Given elsewhere it would be ignored, and is refused. */
  counts?: readonly Conditions[];
} & (
  | {
      type: 'number';
      default?: number;
      min?: number;
      max?: number;
      /** Every value is above this one, which is not a value itself: a learning rate is above 0. */
      above?: number;
      integer?: boolean;
    }
  | { type: 'string'; default?: string; placeholder?: string }
  | PathSpec
  | {
      type: 'choice';
      choices: readonly string[];
      default?: string;
      /** An environment variable that gives the value if the command line does not. */
      environment?: string;
    }
  /** True when given. `excludes` names options that make no sense with it. */
  | { type: 'boolean'; excludes?: readonly string[] }
);

/** A file or folder. It is checked before the program starts to work, not when it is needed. */
export interface PathSpec {
  type: 'path';
  /** What will be done with it: whether it has to exist, or to be a place that can be written to, follows. */
  access: 'read' | 'writeFile' | 'writeFolder';
  default?: string;
  placeholder?: string;
  /** Words that stand for something other than a path, e.g. `own` for the text that comes with the project. */
  words?: readonly string[];
  /** How the name of a file must end, where the ending says what will be written: `.md`. */
  ending?: string;
  /** For a folder that is written to: the files that get there, if nothing else in it is touched. */
  files?: readonly string[];
  /** For a file that is read: the one that is read, if it is there, when none is given. */
  otherwise?: string;
}

/** Values that other options have, by their names; all of them together. */
export type Conditions = Readonly<Record<string, Condition>>;
/** One of some values, where undefined is an option without a default that is not given; or any; or a number above another. */
type Condition = readonly (string | boolean | undefined)[] | 'given' | { readonly above: number };

/** The headings of --help, in this order. */
export const OPTION_GROUPS = ['Data', 'Model', 'Training', 'Answers', 'Output', 'Engine'] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

export type OptionSpecs = Record<string, OptionSpec>;

/** Puts options under one heading of --help. */
export function inGroup<const Options extends OptionSpecs>(group: OptionGroup, options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { group, ...option }]),
  ) as unknown as Options;
}

/** Says of options where they count. */
export function countingWith<const Options extends OptionSpecs>(
  counts: readonly Conditions[],
  options: Options,
): Options {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { ...option, counts }]),
  ) as unknown as Options;
}

type Value<S extends OptionSpec> = S extends { type: 'number' }
  ? number
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string;

/** An option without a default is undefined when it is not given; a boolean is then false. */
export type OptionValues<Options extends OptionSpecs> = {
  [K in keyof Options]: Options[K] extends { type: 'boolean' } | { default: unknown }
    ? Value<Options[K]>
    : Value<Options[K]> | undefined;
};

/** What every chapter's command takes. */
export const COMMON_OPTIONS = {
  ...inGroup('Output', {
    json: {
      type: 'path',
      access: 'writeFile',
      help: 'write the options, and what was printed as figures, to this file',
      placeholder: 'FILE',
    },
    quiet: { type: 'boolean', help: 'print what came of it, and nothing on the way' },
  }),
  ...inGroup('Engine', {
    backend: {
      type: 'choice',
      help: 'engine: wasm is the CPU engine, gpu is gpu.js, js the readable loops, auto the fastest there is',
      choices: ['auto', 'wasm', 'gpu', 'js'],
      default: 'auto',
      environment: 'LLMS_BACKEND',
    },
    gpuMode: {
      type: 'choice',
      counts: [{ backend: ['gpu'] }],
      help: "gpu.js's mode",
      choices: ['webgpu', 'headlessgl', 'webgl2', 'webasm', 'cpu'],
    },
    threads: {
      type: 'number',
      help: 'threads of the CPU engine (default: all cores)',
      counts: [{ backend: ['auto', 'wasm', 'gpu'] }],
      min: 1,
      max: 128,
      integer: true,
    },
  }),
} as const satisfies OptionSpecs;

/** A mistake on the command line itself; exits with 2, as is the custom. */
export class UsageError extends UserError {
  override name = 'UsageError';
}

/** Every option's value if nothing is given: its default, or false for a boolean. */
export function defaultValues(options: OptionSpecs): Record<string, unknown> {
  const initial = (option: OptionSpec) => (option.type === 'boolean' ? false : option.default);
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, initial(option)]));
}

/**
 * Checks one value and converts it; `flag` (`--rank`) is for the message.
 * @throws UsageError if it is missing or ill-formed
 */
export function checkedValue(flag: string, option: OptionSpec, value: string): unknown {
  if (option.type === 'boolean') return true;
  const wanted = expectation(option);
  if (value === '' || value.startsWith('--')) {
    throw new UsageError(`${flag} needs a value: ${wanted}`);
  }
  const refuse = () => new UsageError(`${flag} must be ${wanted}, not '${value}'`);
  if (option.type === 'number') {
    const number = Number(value);
    const fits =
      value.trim() !== '' &&
      Number.isFinite(number) &&
      (!option.integer || Number.isSafeInteger(number)) &&
      number >= (option.min ?? Number.NEGATIVE_INFINITY) &&
      number <= (option.max ?? Number.POSITIVE_INFINITY) &&
      number > (option.above ?? Number.NEGATIVE_INFINITY);
    if (!fits) throw refuse();
    return number;
  }
  if (option.type === 'choice' && !option.choices.includes(value)) throw refuse();
  if (option.type === 'path' && option.ending && !value.toLowerCase().endsWith(option.ending)) throw refuse();
  return value;
}

/** What a value must be, in words: `a whole number from 1 to 64`. */
export function expectation(option: Exclude<OptionSpec, { type: 'boolean' }>): string {
  if (option.type === 'choice') return `one of ${option.choices.join(', ')}`;
  if (option.type === 'path' && option.ending) return `a file ending in ${option.ending}`;
  if (option.type === 'string' || option.type === 'path') return option.placeholder ?? 'a text';
  const kind = option.integer ? 'a whole number' : 'a number';
  const { min, max, above } = option;
  if (above !== undefined) return `${kind} above ${above}${max === undefined ? '' : `, at most ${max}`}`;
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind}, at least ${min}`;
  if (max !== undefined) return `${kind}, at most ${max}`;
  return kind;
}

/**
 * @param given the names of the options on the command line
 * @param values those of all options
 * @throws UsageError that names an option which the others make ignored, and where it counts
 */
export function refuseIgnored(
  options: OptionSpecs,
  given: readonly string[],
  values: Record<string, unknown>,
): void {
  for (const name of given) {
    const { counts } = options[name];
    const isSo = (conditions: Conditions) =>
      Object.entries(conditions).every(([other, condition]) => holds(condition, values[other]));
    if (!counts || counts.some(isSo)) continue;
    throw new UsageError(
      `--${kebab(name)} would be ignored, it counts only ${conditionsInWords(counts)}: leave it out`,
    );
  }
}

function holds(condition: Condition, value: unknown): boolean {
  if (condition === 'given') return value !== undefined;
  if ('above' in condition) return value === undefined || (value as number) > condition.above;
  return (condition as readonly unknown[]).includes(value);
}

/** `with --method lora or all`; `with --finetune, or without --prompt`. */
export function conditionsInWords(counts: readonly Conditions[]): string {
  const inWords = ([name, condition]: [string, Condition]) => {
    const flag = `--${kebab(name)}`;
    if (condition === 'given') return `with ${flag}`;
    if ('above' in condition) return `with ${flag} above ${condition.above}`;
    const values = condition.filter((value) => typeof value === 'string');
    if (values.length > 0) return `with ${flag} ${values.join(', ').replace(/, ([^,]*)$/, ' or $1')}`;
    return condition.includes(true) ? `with ${flag}` : `without ${flag}`;
  };
  return counts.map((conditions) => Object.entries(conditions).map(inWords).join(' and ')).join(', or ');
}

/** `batchSize` → `batch-size`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
