import { UserError } from '../../errors.ts';

/** The characters of Python's regular expressions: one by one, as escapes, as classes and as sets, in JavaScript's syntax. */

const FLAGS = 'aimsux';
export type Flags = ReadonlySet<string>;

export const ANY = '[\\s\\S]';
const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
/** What stands between the brackets of a class: of Unicode, and with the flag `a` of ASCII. */
const CLASSES: Readonly<Record<string, readonly [unicode: string, ascii: string]>> = {
  d: ['\\p{Nd}', '0-9'],
  w: ['\\p{L}\\p{N}_', '0-9A-Za-z_'],
  s: [PYTHON_SPACE, '\\t-\\r '],
};
const ESCAPES: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
/** Without regard to case, in Unicode, these are letters of ASCII too. */
const ALSO: Readonly<Record<string, string>> = { ſ: 's', ı: 'i', İ: 'i', '\u212a': 'k' };

const literal = (code: number) => `\\u{${code.toString(16)}}`;
const isDigit = (char: string | undefined) => char !== undefined && /^[0-9]$/.test(char);
const isOctal = (char: string | undefined) => char !== undefined && /^[0-7]$/.test(char);

/** Reads an expression character by character. */
export class CharacterReader {
  private readonly expression: string;
  protected readonly chars: readonly string[];
  /** The place of the next character. */
  protected at = 0;

  constructor(expression: string) {
    this.expression = expression;
    this.chars = Array.from(expression);
  }

  protected rest(): string {
    return this.chars.slice(this.at).join('');
  }

  protected refuse(why: string): never {
    const shown = this.expression.replace(/\s+/g, ' ');
    const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
    throw new UserError(`the regular expression ${short} cannot be read as Python's: ${why}`);
  }

  protected take(wanted: string): boolean {
    if (
      !this.chars
        .slice(this.at, this.at + wanted.length)
        .join('')
        .startsWith(wanted)
    )
      return false;
    this.at += wanted.length;
    return true;
  }

  protected next(inWhat: string): string {
    return this.chars[this.at++] ?? this.refuse(`it ends within ${inWhat}`);
  }

  protected upTo(end: string, inWhat: string): string {
    let text = '';
    while (!this.take(end)) text += this.next(inWhat);
    return text;
  }

  protected skipVerbose(): void {
    const skipped = /^(?:[ \t\n\r\f\v]|#[^\n]*)*/.exec(this.rest())![0];
    this.at += Array.from(skipped).length;
  }

  protected withFlags(flags: Flags, on: string, off: string): Flags {
    for (const flag of on + off) if (!FLAGS.includes(flag)) this.refuse(`no flag ${flag} of a text`);
    if (/a.*u|u.*a/.test(on) || /[au]/.test(off) || Array.from(off).some((flag) => on.includes(flag)))
      this.refuse('flags that exclude each other');
    const result = new Set([...flags, ...on]);
    if (on.includes('u')) result.delete('a');
    for (const flag of off) result.delete(flag);
    return result;
  }

  /** `[…]`, as classes side by side, since one class cannot hold the opposite of another. */
  protected set(flags: Flags): string {
    const isNegated = this.take('^');
    const codes: number[] = [];
    const others: string[] = [];
    const member = (): number | string => {
      const char = this.next('a set');
      return char === '\\' ? this.escape(flags, true) : char.codePointAt(0)!;
    };
    for (let isFirst = true; isFirst || !this.take(']'); isFirst = false) {
      const low = member();
      const isRange = this.chars[this.at] === '-' && this.chars[this.at + 1] !== ']';
      if (!isRange) {
        if (typeof low === 'string') others.push(low);
        else codes.push(low);
        continue;
      }
      this.at++;
      const high = member();
      if (typeof low === 'string' || typeof high === 'string' || low > high)
        this.refuse('a bad range in a set');
      others.push(`[${literal(low)}-${literal(high)}]`);
      if (flags.has('i'))
        for (const char of LETTERS) {
          const code = char.codePointAt(0)!;
          if (code >= low && code <= high) codes.push(code);
        }
    }
    if (codes.length > 0) others.push(`[${cased(codes, flags)}]`);
    const any = `(?:${others.join('|')})`;
    return isNegated ? `(?:(?!${any})${ANY})` : any;
  }

  /** What stands after a backslash: a character's code, or a class in JavaScript's syntax. */
  protected escape(flags: Flags, isInSet: boolean): number | string {
    const char = this.next('an escape');
    if (Object.hasOwn(ESCAPES, char)) return ESCAPES[char];
    if (isInSet && char === 'b') return 8;
    const lower = char.toLowerCase();
    if (Object.hasOwn(CLASSES, lower)) return `[${char === lower ? '' : '^'}${classOf(lower, flags)}]`;
    const lengths: Record<string, number> = { x: 2, u: 4, U: 8 };
    if (Object.hasOwn(lengths, char)) {
      const digits = this.chars.slice(this.at, this.at + lengths[char]).join('');
      this.at += lengths[char];
      const code = Number.parseInt(digits, 16);
      if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length !== lengths[char] || code > 0x10ffff)
        this.refuse(`\\${char} needs ${lengths[char]} hexadecimal digits`);
      return code;
    }
    if (isDigit(char)) return this.#octal(char, isInSet);
    if (/^[A-Za-z]$/.test(char)) this.refuse(`there is no escape \\${char}`);
    return char.codePointAt(0)!;
  }

  #octal(first: string, isInSet: boolean): number {
    const [second, third] = this.chars.slice(this.at, this.at + 2);
    const isThree = isOctal(first) && isOctal(second) && isOctal(third);
    if (first !== '0' && !isThree && !(isInSet && isOctal(first)))
      this.refuse(isInSet ? `there is no escape \\${first}` : 'back references are not supported here');
    let digits = first;
    while (digits.length < 3 && isOctal(this.chars[this.at])) digits += this.chars[this.at++];
    const code = Number.parseInt(digits, 8);
    if (code > 0o377) this.refuse(`\\${digits} is above \\377`);
    return code;
  }
}

export function classOf(name: string, flags: Flags): string {
  return CLASSES[name][flags.has('a') ? 1 : 0];
}

/** Characters that are the same without regard to case as one of ASCII. */
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', ...Object.keys(ALSO)];

/** Characters for a class, with those of the other case if the flag `i` says so. */
export function cased(codes: readonly number[], flags: Flags): string {
  const chars = codes.map((code) => String.fromCodePoint(code));
  if (!flags.has('i')) return codes.map(literal).join('');
  const isAscii = flags.has('a');
  const folded = (char: string) =>
    isAscii && !/^[A-Za-z]$/.test(char) ? char : ((isAscii ? undefined : ALSO[char]) ?? char.toLowerCase());
  const wanted = new Set(chars.map(folded));
  const same = LETTERS.filter((letter) => wanted.has(folded(letter)));
  const all = new Set([
    ...chars,
    ...wanted,
    ...same,
    ...(isAscii ? [] : chars.map((char) => char.toUpperCase())),
  ]);
  return Array.from(all)
    .filter((char) => Array.from(char).length === 1)
    .map((char) => literal(char.codePointAt(0)!))
    .join('');
}
