import { UserError } from '../../../lib/index.ts';
import {
  type EncodeOptions,
  type MergeOfPair,
  mergeInOrder,
  PIECES,
  pairKey,
  type Tokeniser,
  visibleBytes,
} from '../../chapter02/index.ts';
import type { Notebook } from '../../common/notebook.ts';

/**
 * Chapter 2's byte pair encoding with a vocabulary from a file. What differs from GPT-2's is small: which tokens there
 * are, that every digit is a piece of its own (so 2024 is four tokens, whatever was frequent in the training text),
 * and that there are several special tokens.
 */

const DIGITS_OR_REST = /\p{N}|\P{N}+/gu;

export interface Vocabulary {
  /** By id; bytes are written as visible characters (chapter 2's `visibleBytes`), special tokens as they are. */
  tokens: readonly string[];
  /** `left right`, in the order in which they were learnt. */
  merges: readonly string[];
  /** The ids of the special tokens. */
  special: readonly number[];
  splitDigits: boolean;
}

export class BpeTokeniser implements Tokeniser {
  readonly vocabSize: number;
  /** Special tokens by their text, e.g. `<|im_start|>` → 1. */
  readonly special: ReadonlyMap<string, number>;
  readonly #splitDigits: boolean;
  readonly #idOfByte: number[] = [];
  readonly #mergesOfPairs = new Map<number, MergeOfPair>();
  readonly #tokens: readonly string[];
  readonly #isSpecial: ReadonlySet<number>;
  readonly #specialPattern: RegExp;
  readonly #byteOfVisible = visibleBytes();

  /** @throws UserError if a merge is not in the list of tokens */
  constructor({ tokens, merges, special, splitDigits }: Vocabulary) {
    this.vocabSize = tokens.length;
    this.#splitDigits = splitDigits;
    this.special = new Map(special.map((id) => [tokens[id], id]));
    this.#specialPattern = new RegExp(
      [...this.special.keys()].map(escapeForPattern).join('|') || '(?!)',
      'g',
    );
    const ids = new Map(tokens.map((token, id) => [token, id]));
    // Not every vocabulary has the 13 bytes that never occur in UTF-8.
    for (const [visible, byte] of this.#byteOfVisible)
      if (ids.has(visible)) this.#idOfByte[byte] = ids.get(visible)!;
    merges.forEach((line, rank) => {
      const [left, right] = line.split(' ');
      const pair = [known(ids, left), known(ids, right)] as const;
      // The first of two merges of the same pair counts.
      const key = pairKey(...pair);
      if (this.#mergesOfPairs.has(key)) return;
      this.#mergesOfPairs.set(key, { left: pair[0], right: pair[1], rank, merged: known(ids, left + right) });
    });
    this.#tokens = tokens;
    this.#isSpecial = new Set(special);
  }

  /** Special tokens that stand in the text are text like any other, unless they are allowed. */
  encode(text: string, { allowedSpecial = [] }: EncodeOptions = {}): number[] {
    const allowed = new Set(allowedSpecial);
    const ids: number[] = [];
    let from = 0;
    for (const { 0: token, index } of text.matchAll(this.#specialPattern)) {
      if (!allowed.has(token)) continue;
      this.#encodeOrdinary(text.slice(from, index), ids);
      ids.push(this.special.get(token)!);
      from = index + token.length;
    }
    this.#encodeOrdinary(text.slice(from), ids);
    return ids;
  }

  decode(ids: Iterable<number>): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes(ids));
  }

  /** The bytes of some tokens: a character of several bytes may be spread over two tokens. */
  bytes(ids: Iterable<number>): Uint8Array {
    const parts: number[] = [];
    for (const id of ids) {
      const token = this.#tokens[id];
      if (token === undefined)
        throw new UserError(`there is no token ${id}: the vocabulary has ${this.vocabSize}`);
      if (this.#isSpecial.has(id)) for (const byte of new TextEncoder().encode(token)) parts.push(byte);
      else for (const char of token) parts.push(this.#byteOfVisible.get(char) ?? 0x3f); // “?”
    }
    return Uint8Array.from(parts);
  }

  #encodeOrdinary(text: string, ids: number[]): void {
    const parts = this.#splitDigits ? text.matchAll(DIGITS_OR_REST) : [[text]];
    for (const [part] of parts) {
      for (const [piece] of part.matchAll(PIECES)) {
        const bytes = Array.from(new TextEncoder().encode(piece), (byte) => this.#idOfByte[byte]);
        for (const id of mergeInOrder(bytes, this.#mergesOfPairs)) ids.push(id);
      }
    }
  }
}

function known(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token);
  if (id === undefined)
    throw new UserError(`the vocabulary lacks the token “${token}”: the file may be damaged`);
  return id;
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** How a text is cut, token by token. */
export function showTokens(nb: Notebook, tokeniser: BpeTokeniser): void {
  for (const text of ['Every effort moves you', 'in 2024: x**2', '<|im_end|>']) {
    const ids = tokeniser.encode(text);
    nb.note(
      `${JSON.stringify(text)}: ${ids.map((id) => `${JSON.stringify(tokeniser.decode([id]))} ${id}`).join(', ')}`,
    );
  }
}
