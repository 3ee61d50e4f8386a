import { firstFew, io, UserError } from '../../lib/index.ts';
import type { Texts } from '../llama/model/text-index.ts';

/**
 * The settings of a model's file: the keys of a `config.json`, or of GGUF's metadata. One rule holds for all of them:
 * **each is used, or it is known to change nothing, or the file is refused in a line that names it.** So a setting that
 * nobody here has heard of never gives a model that answers wrongly without a word.
 */
export class Settings {
  /** What messages call the file. */
  readonly name: string;
  readonly #values: ReadonlyMap<string, unknown>;
  /** In front of each key, e.g. `llama.` in GGUF. */
  readonly #prefix: string;
  readonly #known = new Set<string>();

  constructor(values: ReadonlyMap<string, unknown> | Record<string, unknown>, name: string, prefix = '') {
    this.#values = values instanceof Map ? values : new Map(Object.entries(values));
    this.name = name;
    this.#prefix = prefix;
  }

  /** A value as it is, and undefined if it is missing or null, which Python writes where nothing is set. */
  value(key: string): unknown {
    this.#known.add(this.#prefix + key);
    return this.#values.get(this.#prefix + key) ?? undefined;
  }

  /** Is it there, but null? A few defaults of Python's are for what is missing alone. */
  isNull(key: string): boolean {
    return this.#values.get(this.#prefix + key) === null;
  }

  /** All keys, whoever asks for them. */
  keys(): string[] {
    return Array.from(this.#values.keys());
  }

  /**
   * A number of things: a whole number from 1 up.
   * @param fallback what a file means that does not say
   */
  size(key: string, fallback?: number): number {
    const size = this.number(key, fallback);
    if (Number.isSafeInteger(size) && size > 0) return size;
    throw this.fault(key, 'a whole number from 1 up is expected');
  }

  /** The number of one thing among others: a whole number from 0 up. */
  index(key: string): number {
    const index = this.number(key);
    if (Number.isSafeInteger(index) && index >= 0) return index;
    throw this.fault(key, 'a whole number from 0 up is expected');
  }

  /**
   * A size that the file's tensors have too.
   * @param found what they have
   * @throws UserError if the two differ: so nothing is believed that would take memory or time
   */
  matching(key: string, found: number, fallback?: number): number {
    const size = this.size(key, fallback);
    if (size === found) return size;
    const said = this.value(key) === undefined ? `${size}, since the file does not say it` : `${size}`;
    throw new UserError(
      `${this.#prefix}${key} of ${this.name} is ${said}, but the weights are of a model with ${found}`,
    );
  }

  /** A finite number. GGUF's 64-bit whole numbers are taken where a double holds them. */
  number(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (value === undefined) throw new UserError(`${this.name} does not say its ${this.#prefix}${key}`);
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw this.fault(key, 'a number is expected');
  }

  /** A number above 0: a base, an ε. */
  positive(key: string, fallback?: number): number {
    const number = this.number(key, fallback);
    if (number > 0) return number;
    throw this.fault(key, 'a number above 0 is expected');
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.value(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    throw this.fault(key, 'true or false is expected');
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.fault(key, 'a text is expected');
  }

  /** A list of texts: GGUF's, or an array. */
  texts(key: string): Texts | undefined {
    const value = this.value(key);
    if (value === undefined || value instanceof io.TextList) return value;
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    throw this.fault(key, 'a list of texts is expected');
  }

  list(key: string): unknown[] | undefined {
    const value = this.value(key);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.fault(key, 'a list is expected');
  }

  /** Settings within a setting; undefined if it is missing, null or empty. */
  inside(key: string): Settings | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.fault(key, 'an object is expected');
    const entries = Object.entries(value);
    return entries.length === 0 ? undefined : new Settings(new Map(entries), `${key} of ${this.name}`);
  }

  /**
   * Settings of which the code here knows one answer: a file may leave them out, or say just that.
   * @param allowed the values that mean the same to the numbers; null counts as null here
   */
  only(key: string, ...allowed: readonly unknown[]): void {
    this.#known.add(this.#prefix + key);
    if (!this.#values.has(this.#prefix + key)) return;
    const value = this.#values.get(this.#prefix + key);
    if (allowed.some((each) => JSON.stringify(each) === inShort(value))) return;
    throw this.fault(key, `only ${allowed.map((each) => inShort(each)).join(' or ')} can be read`);
  }

  /** Keys that change no number, by name or by pattern. */
  harmless(keys: readonly (string | RegExp)[]): void {
    for (const key of this.#values.keys())
      if (keys.some((each) => (typeof each === 'string' ? each === key : each.test(key))))
        this.#known.add(key);
  }

  /** @throws UserError if there is a setting that was neither asked for nor is harmless, unless nothing is set */
  finish(): void {
    const unknown = Array.from(this.#values, ([key, value]) => (value === null ? '' : key)).filter(
      (key) => key !== '' && !this.#known.has(key),
    );
    if (unknown.length === 0) return;
    throw new UserError(
      `${this.name} sets ${firstFew(unknown)}, which this family of models is not known to have here: ` +
        'it may be another kind of model',
    );
  }

  /** The one line for a value that cannot be used. */
  fault(key: string, expected: string): UserError {
    const value = this.#values.get(this.#prefix + key);
    return new UserError(`${this.#prefix}${key} of ${this.name} is ${inShort(value)}: ${expected}`);
  }
}

/** A value from a file, for a message of one line. */
export function inShort(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
