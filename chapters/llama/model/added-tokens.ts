/**
 * Tokens that were added to a vocabulary by hand: `<|im_start|>`, which is special, or `<think>`, which is not. They are
 * found in a text before anything else is done to it, and no merge makes them. The rules are those of Hugging Face's
 * tokenizers (added_vocabulary.rs).
 */
export interface AddedToken {
  id: number;
  text: string;
  /** A special token in a text is text like any other, unless whoever encodes it allows it. */
  special: boolean;
  /** Only where it is not a part of a longer word. */
  singleWord?: boolean;
  /** Takes the white space before it with it. */
  stripLeft?: boolean;
  /** Takes the white space behind it with it. */
  stripRight?: boolean;
}

const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_BEHIND = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const BLANKS_BEFORE = /\p{White_Space}*$/u;
const BLANKS_BEHIND = /^\p{White_Space}*/u;

export class AddedTokens {
  readonly #byText: ReadonlyMap<string, AddedToken>;
  /** A pattern for each set of special tokens that was allowed. */
  readonly #patterns = new Map<string, RegExp>();

  constructor(tokens: readonly AddedToken[]) {
    this.#byText = new Map(tokens.map((token) => [token.text, token]));
  }

  /** Cuts a text into ids of added tokens and the text between them. */
  split(text: string, allowed: ReadonlySet<string>): (string | number)[] {
    if (this.#byText.size === 0) return [text];
    const parts: (string | number)[] = [];
    let from = 0;
    for (const { 0: found, index } of text.matchAll(this.#pattern(allowed))) {
      const token = this.#byText.get(found)!;
      let [start, end] = [index, index + found.length];
      const [before, behind] = [text.slice(0, start), text.slice(end)];
      if (token.singleWord && (WORD_BEFORE.test(before) || WORD_BEHIND.test(behind))) continue;
      if (token.stripLeft) start = Math.max(from, BLANKS_BEFORE.exec(before)!.index);
      if (token.stripRight) end += BLANKS_BEHIND.exec(behind)![0].length;
      if (from < start) parts.push(text.slice(from, start));
      parts.push(token.id);
      from = end;
    }
    if (from < text.length) parts.push(text.slice(from));
    return parts;
  }

  /** Of several tokens that begin at one place the longest is found. */
  #pattern(allowed: ReadonlySet<string>): RegExp {
    const key = JSON.stringify([...allowed]);
    let pattern = this.#patterns.get(key);
    if (!pattern) {
      const texts = [...this.#byText.values()]
        .filter(({ special, text }) => text !== '' && (!special || allowed.has(text)))
        .map(({ text }) => text)
        .sort((a, b) => b.length - a.length);
      pattern = new RegExp(texts.map(escapeForPattern).join('|') || '(?!)', 'gu');
      this.#patterns.set(key, pattern);
    }
    return pattern;
  }
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
