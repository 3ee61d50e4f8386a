import { ANY, CharacterReader, cased, classOf, type Flags } from './pythonCharacters.ts';

/**
 * Python's regular expressions (its module `re`, as of Python 3.11) as JavaScript's. An adapter's configuration is written
 * for Python, whose syntax differs: `(?P<name>…)`, `(?i:…)`, `(?#…)`, `{,1}`, `*+`, `\Z` and others mean something else in
 * JavaScript, or nothing, depending on its version. So each expression is parsed by Python's rules
 * (https://docs.python.org/3/library/re.html#regular-expression-syntax), and written anew with the few forms that every
 * JavaScript has. Back references and conditions are refused. The texts to be matched are names of layers, in ASCII.
 */

/** A part in JavaScript's syntax, and how many characters it takes. */
interface Part {
  js: string;
  least: number;
  most: number;
}

const START = `(?<!${ANY})`;
const END = `(?!${ANY})`;
const compiled = new Map<string, RegExp>();

/**
 * What `re.match(expression, text)` finds, at the beginning of the text; null if nothing.
 * @throws UserError if Python does not understand the expression, or it is not supported here
 */
export function pythonMatch(expression: string, text: string): RegExpExecArray | null {
  return compile(expression).exec(text);
}

/** Does `re.fullmatch(expression, text)` find the whole text? Errors as in `pythonMatch`. */
export function pythonFullMatch(expression: string, text: string): boolean {
  const { source } = compile(expression);
  return new RegExp(`${source}${END}`, 'u').test(text);
}

function compile(expression: string): RegExp {
  const known = compiled.get(expression);
  if (known) return known;
  const made = new RegExp(`${START}(?:${new Parser(expression).parse()})`, 'u');
  compiled.set(expression, made);
  return made;
}

/** The grammar: alternatives, repeats, groups. */
class Parser extends CharacterReader {
  readonly #names = new Set<string>();
  #atomic = 0;
  #lookingBehind = 0;

  parse(): string {
    let flags: Flags = new Set();
    for (;;) {
      if (flags.has('x')) this.skipVerbose();
      const found = /^\(\?([a-zA-Z]+)\)/.exec(this.rest());
      if (!found) break;
      flags = this.withFlags(flags, found[1], '');
      this.at += found[0].length;
    }
    const { js } = this.#alternatives(flags);
    if (this.at < this.chars.length) this.refuse('a ) too many');
    return js;
  }

  /** What may stand between an item and its repeat. */
  #skipComments(flags: Flags): void {
    if (flags.has('x')) this.skipVerbose();
    while (this.take('(?#')) {
      this.upTo(')', 'a comment');
      if (flags.has('x')) this.skipVerbose();
    }
  }

  #alternatives(flags: Flags): Part {
    const parts: Part[] = [];
    do parts.push(this.#sequence(flags));
    while (this.take('|'));
    return {
      js: parts.map(({ js }) => js).join('|'),
      least: parts.reduce((a, { least }) => Math.min(a, least), Infinity),
      most: parts.reduce((a, { most }) => Math.max(a, most), 0),
    };
  }

  #sequence(flags: Flags): Part {
    const whole = { js: '', least: 0, most: 0 };
    for (;;) {
      if (flags.has('x')) this.skipVerbose();
      const char = this.chars[this.at];
      if (char === undefined || char === '|' || char === ')') return whole;
      const isAnchor = /^(?:\^|\$|\\[AZbB])/.test(this.rest());
      const item = this.#item(flags);
      if (!item) continue; // a comment
      this.#skipComments(flags);
      const { js, least, most } = this.#repeated(item, isAnchor, flags);
      whole.js += js;
      whole.least += least;
      whole.most += most;
    }
  }

  /** The item with what says how often it comes: `*`, `+`, `?`, `{2,3}`, each also lazy (`?`) or possessive (`+`). */
  #repeated(item: Part, isAnchor: boolean, flags: Flags): Part {
    const bounds = this.#bounds();
    if (!bounds) return item;
    const [least, most] = bounds;
    if (isAnchor) this.refuse('nothing to repeat');
    if (least > most) this.refuse('a repeat whose least is above its most');
    const isLazy = this.take('?');
    const isPossessive = !isLazy && this.take('+');
    if (flags.has('x')) this.skipVerbose();
    const at = this.at;
    if (this.#bounds()) this.refuse('multiple repeat');
    this.at = at;
    const js = `(?:${item.js}){${least},${most === Infinity ? '' : most}}${isLazy ? '?' : ''}`;
    // Nothing times anything is nothing.
    const times = (length: number, count: number) => (length === 0 ? 0 : length * count);
    const part = { js, least: times(item.least, least), most: times(item.most, most) };
    if (isPossessive && item.least === 0)
      this.refuse('a possessive repeat of what may be empty is not supported here');
    return isPossessive ? this.#withoutReturn(part) : part;
  }

  #bounds(): [number, number] | undefined {
    if (this.take('*')) return [0, Infinity];
    if (this.take('+')) return [1, Infinity];
    if (this.take('?')) return [0, 1];
    // {2}, {2,}, {,3}, {2,3} and {,}; any other brace is a character.
    const found = /^\{(\d*)(,?)(\d*)\}/.exec(this.rest());
    if (!found || found[0] === '{}') return undefined;
    this.at += found[0].length;
    const [, low, comma, high] = found;
    return [Number(low), comma === '' ? Number(low) : high === '' ? Infinity : Number(high)];
  }

  /** What has matched is not tried in another way: a look ahead keeps its first match, and a reference takes it. */
  #withoutReturn(part: Part): Part {
    if (this.#lookingBehind > 0) this.refuse('an atomic group in a look behind is not supported here');
    const name = `atomic${this.#atomic++}`;
    if (this.#names.has(name)) this.refuse(`a group cannot be called ${name} here`);
    return { ...part, js: `(?=(?<${name}>${part.js}))\\k<${name}>` };
  }

  /** One item, not yet repeated; undefined for a comment. */
  #item(flags: Flags): Part | undefined {
    const char = this.next('itself');
    const anchor = (js: string): Part => ({ js, least: 0, most: 0 });
    if (char === '.') return one(flags.has('s') ? ANY : '[^\\n]');
    if (char === '^') return anchor(flags.has('m') ? '(?<![^\\n])' : START);
    if (char === '$') return anchor(flags.has('m') ? '(?![^\\n])' : `(?=\\n?${END})`);
    if (char === '(') return this.#group(flags);
    if (char === '[') return one(this.set(flags));
    if (char === '*' || char === '+' || char === '?') this.refuse('nothing to repeat');
    if (char === '{') {
      this.at--;
      if (this.#bounds()) this.refuse('nothing to repeat');
      this.at++;
    }
    if (char !== '\\') return one(`[${cased([char.codePointAt(0)!], flags)}]`);
    const escaped = this.chars[this.at];
    const word = `[${classOf('w', flags)}]`;
    const boundary = `(?<=${word})(?!${word})|(?<!${word})(?=${word})`;
    const anchors: Record<string, string> = {
      A: START,
      Z: END,
      b: `(?:${boundary})`,
      B: `(?!${boundary})(?:(?<=${ANY})|(?=${ANY}))`,
    };
    if (escaped !== undefined && Object.hasOwn(anchors, escaped)) {
      this.at++;
      return anchor(anchors[escaped]);
    }
    const code = this.escape(flags, false);
    return one(typeof code === 'string' ? code : `[${cased([code], flags)}]`);
  }

  #group(flags: Flags): Part | undefined {
    if (!this.take('?')) return this.#inside(flags, '(?:');
    if (this.take('#')) {
      this.upTo(')', 'a comment');
      return undefined;
    }
    if (this.take(':')) return this.#inside(flags, '(?:');
    if (this.take('>')) {
      const part = this.#inside(flags, '(?:');
      return this.#withoutReturn(part);
    }
    if (this.take('P<')) {
      const name = this.upTo('>', "a group's name");
      if (!/^[A-Za-z_][A-Za-z_0-9]*$/.test(name)) this.refuse(`a group cannot be called ${name}`);
      if (this.#names.has(name) || /^atomic\d+$/.test(name)) this.refuse(`two groups are called ${name}`);
      this.#names.add(name);
      return this.#inside(flags, `(?<${name}>`);
    }
    for (const look of ['=', '!']) if (this.take(look)) return looking(this.#inside(flags, `(?${look}`));
    for (const look of ['<=', '<!']) {
      if (!this.take(look)) continue;
      this.#lookingBehind++;
      const part = this.#inside(flags, `(?${look}`);
      this.#lookingBehind--;
      if (part.least !== part.most) this.refuse('a look behind needs a fixed width');
      return looking(part);
    }
    const scoped = /^([a-zA-Z]*)(?:-([a-zA-Z]+))?:/.exec(this.rest());
    if (scoped) {
      this.at += scoped[0].length;
      return this.#inside(this.withFlags(flags, scoped[1], scoped[2] ?? ''), '(?:');
    }
    if (/^[a-zA-Z]+\)/.test(this.rest())) this.refuse('flags for the whole that do not stand at its start');
    if (this.take('P=') || this.take('('))
      this.refuse('back references and conditions are not supported here');
    return this.refuse(`no group begins with (?${this.chars[this.at] ?? ''}`);
  }

  #inside(flags: Flags, open: string): Part {
    const { js, least, most } = this.#alternatives(flags);
    if (!this.take(')')) this.refuse('a ( without its )');
    return { js: `${open}${js})`, least, most };
  }
}

const one = (js: string): Part => ({ js, least: 1, most: 1 });
const looking = (part: Part): Part => ({ ...part, least: 0, most: 0 });
