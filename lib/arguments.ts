import { UserError } from './errors.ts';

/**
 * What every public function asks of its arguments, said in one line. Types alone cannot ensure it, since tsx and plain
 * JavaScript check none: what is silently dropped or taken for something else gives a wrong answer.
 */

/** What was given in place of something else, on one line. */
export function inWords(value: unknown): string {
  if (typeof value === 'string')
    return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`.replaceAll('\n', '\\n');
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  if ('ndim' in value) return 'a tensor';
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** For functions: `...more: []` in the signature, and this as the first line. */
export function noMore(what: string, most: number, more: readonly unknown[]): void {
  if (more.length > 0) tooMany(what, most, most + more.length);
}

export function tooMany(what: string, most: number, given: number): never {
  const takes = most === 0 ? 'no argument' : most === 1 ? 'one argument' : `at most ${most} arguments`;
  throw new UserError(`${what}: it takes ${takes}, not ${given}`);
}

/** The names of a class's methods. */
type MethodsOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];

/** The most arguments of each method; the compiler knows them, and `number` stands for any number of them. */
export type MostArguments<T> = {
  readonly [K in MethodsOf<T>]: T[K] extends (...args: infer Args) => unknown
    ? Required<Args>['length']
    : never;
};

/** For the methods of a class: makes each in the table refuse more arguments than it takes. */
export function refuseSurplus<T extends object>(prototype: T, most: MostArguments<T>): void {
  for (const [name, count] of Object.entries<number>(most)) {
    if (count === Number.POSITIVE_INFINITY) continue;
    const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    const strict = function (this: T, ...args: unknown[]) {
      if (args.length > count) tooMany(name, count, args.length);
      return method.apply(this, args);
    };
    Object.defineProperty(prototype, name, { value: strict, writable: true, configurable: true });
  }
}

/** @throws UserError unless it is a finite number, of at least `least` and at most `most`. */
export function checkNumber(
  value: number,
  name: string,
  what: string,
  least = -Infinity,
  most = Infinity,
): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most) return value;
  const range =
    most < Infinity ? ` from ${least} to ${most}` : least > -Infinity ? ` of at least ${least}` : '';
  throw new UserError(`${what}: ${name} is a finite number${range}, not ${inWords(value)}`);
}

/** @throws UserError unless it is a whole number of at least `least`. */
export function checkCount(count: number, least: number, name: string, what: string): number {
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new UserError(`${what}: ${name} is a whole number from ${least} up, not ${inWords(count)}`);
}

/** More than any memory holds: asked for by a mistake. */
const MOST_ELEMENTS = 2 ** 32;

/** @throws UserError unless that many elements can be made. */
export function checkSize(count: number, what: string): number {
  if (checkCount(count, 0, 'the number of elements', what) <= MOST_ELEMENTS) return count;
  throw new UserError(`${what}: ${count} elements do not fit into memory`);
}

/** @throws UserError unless it is a yes or a no: `{ keepdim: true }` in place of `true` would count as yes. */
export function checkFlag(value: boolean, name: string, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new UserError(`${what}: ${name} is true or false, not ${inWords(value)}`);
}

/** @throws UserError unless it is a text: a path, a name. */
export function checkText(value: string, name: string, what: string): string {
  if (typeof value === 'string') return value;
  throw new UserError(`${what}: ${name} is a text, not ${inWords(value)}`);
}

/** @throws UserError unless it is one of the words that are known. */
export function checkWord<Word extends string>(
  value: Word,
  known: readonly Word[],
  name: string,
  what: string,
): Word {
  if (known.includes(value)) return value;
  const words = known.map((word) => `'${word}'`);
  const last = words.pop();
  const all = words.length > 0 ? `${words.join(', ')} or ${last}` : last;
  throw new UserError(`${what}: ${name} is ${all}, not ${inWords(value)}`);
}

/**
 * Refuses a key that an options object does not have. Types alone cannot: tsx and plain JavaScript check none, and an
 * option that is silently dropped (`weight_decay` for `weightDecay`) gives another model.
 *
 * @throws UserError that names the unknown key, the one that was probably meant, and all that there are
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UserError(`${where}: options are given as { ${known.join(', ')} }, not as ${String(options)}`);
  }
  for (const key of Object.keys(options)) {
    if ((known as readonly string[]).includes(key)) continue;
    const meant = known.find((name) => plain(name) === plain(key));
    const hint = meant ? `did you mean ${meant}?` : `it takes ${known.join(', ')}`;
    throw new UserError(`${where}: there is no option ${key}; ${hint}`);
  }
}

/** Without case and underscores, in which Python's names differ from ours. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The first three of a list and how many more there are: `a, b, c and 145 more`. */
export function firstFew(items: readonly string[], separator = ', '): string {
  const rest = items.length - 3;
  return items.slice(0, 3).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}
