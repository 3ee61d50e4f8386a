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
import { type AddedToken, AddedTokens } from './added-tokens.ts';

/**
 * Chapter 2's byte pair encoding with a vocabulary from a file. What differs from GPT-2's is small: which tokens there
 * are, that every digit is a piece of its own (so 2024 is four tokens, whatever was frequent in the training text),
 * and that there are several special tokens. Later models differ in a few more such things, and their files say in which.
 */

/** Cuts a text into the pieces that no merge crosses. */
export type Splitting = (text: string) => readonly string[];

const DIGIT_OR_REST = /\p{N}|\P{N}+/gu;

export const splitAsGpt2: Splitting = (text) => text.match(PIECES) ?? [];
export const splitOffDigits: Splitting = (text) => text.match(DIGIT_OR_REST) ?? [];
/** SmolLM2's: first the digits, then GPT-2's pieces of what is between them. */
export const splitAsSmolLM: Splitting = (text) => splitOffDigits(text).flatMap(splitAsGpt2);

export interface Vocabulary {
  /** By id; bytes are written as visible characters (chapter 2's `visibleBytes`), special tokens as they are. */
  tokens: readonly string[];
  /** `left right`, in the order in which they were learnt. */
  merges: readonly string[];
  /** The ids of special tokens among them. */
  special?: readonly number[];
  /** GPT-2's pieces, but every digit by itself: SmolLM2's way. */
  splitDigits?: boolean;
  /** Another way to cut a text. */
  split?: Splitting;
  /** Done to the text between added tokens, before it is cut: Unicode's NFC, say. */
  normalise?: (text: string) => string;
  /** Added tokens with more to say than that they are special. */
  added?: readonly AddedToken[];
  /** The same, of those that are looked for after `normalise`. */
  addedToNormalised?: readonly AddedToken[];
  /** Is a piece that is a token as a whole taken as that token, whatever the merges would make of it? */
  ignoreMerges?: boolean;
  /** The token of a byte that has none; such a byte is left out where there is no such token either. */
  unknown?: { id: number; fuse: boolean };
  /** The tokens that templates call by name: `bos_token`, `eos_token`. */
  named?: Readonly<Record<string, string>>;
}

/** What `encode` can be told besides which special tokens are allowed. */
export interface BpeEncodeOptions extends EncodeOptions {
  /** Characters that stand in for a text, which is then never taken for a token: `chatToIds` uses them. */
  standIns?: ReadonlyMap<string, string>;
}

export class BpeTokeniser implements Tokeniser {
  readonly vocabSize: number;
  /** Special tokens by their text, e.g. `<|im_start|>` → 1. */
  readonly special: ReadonlyMap<string, number>;
  /** The text of `bos_token`, `eos_token` and others that the files name. */
  readonly named: Readonly<Record<string, string>>;
  readonly #vocabulary: Vocabulary;
  readonly #split: Splitting;
  readonly #added: AddedTokens;
  readonly #addedToNormalised: AddedTokens;
  readonly #textOfAdded: ReadonlyMap<number, string>;
  readonly #idOfByte: number[] = [];
  readonly #idOfToken: ReadonlyMap<string, number>;
  readonly #mergesOfPairs = new Map<number, MergeOfPair>();
  readonly #byteOfVisible = visibleBytes();

  /** @throws UserError if a merge is not in the list of tokens */
  constructor(vocabulary: Vocabulary) {
    const { tokens, merges, special = [], added = [], addedToNormalised = [] } = vocabulary;
    this.#vocabulary = vocabulary;
    this.#split = vocabulary.split ?? (vocabulary.splitDigits ? splitAsSmolLM : splitAsGpt2);
    this.named = vocabulary.named ?? {};
    const marked = special.map((id): AddedToken => ({ id, text: tokens[id], special: true }));
    const raw = [...marked, ...added];
    const all = [...raw, ...addedToNormalised];
    this.#added = new AddedTokens(raw);
    this.#addedToNormalised = new AddedTokens(addedToNormalised);
    this.#textOfAdded = new Map(all.map(({ id, text }) => [id, text]));
    this.special = new Map(all.filter((token) => token.special).map(({ id, text }) => [text, id]));
    this.vocabSize = all.reduce((size, { id }) => Math.max(size, id + 1), tokens.length);

    const ids = new Map<string, number>();
    // A list of tokens may have holes, and two tokens of one text: the first is meant.
    tokens.forEach((token, id) => {
      if (!ids.has(token)) ids.set(token, id);
    });
    this.#idOfToken = ids;
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
  }

  /**
   * A text's tokens, and no others: nothing is put in front of it or behind. Special tokens that stand in the text are text
   * like any other, unless they are allowed.
   */
  encode(text: string, { allowedSpecial = [], standIns }: BpeEncodeOptions = {}): number[] {
    const allowed = new Set(allowedSpecial);
    const { normalise = (part: string) => part } = this.#vocabulary;
    const ids: number[] = [];
    for (const part of this.#added.split(text, allowed)) {
      if (typeof part === 'number') ids.push(part);
      else
        for (const piece of this.#addedToNormalised.split(normalise(part), allowed)) {
          if (typeof piece === 'number') ids.push(piece);
          else this.#encodeOrdinary(withoutStandIns(piece, standIns, normalise), ids);
        }
    }
    return ids;
  }

  decode(ids: Iterable<number>): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes(ids));
  }

  /** The bytes of some tokens: a character of several bytes may be spread over two tokens. */
  bytes(ids: Iterable<number>): Uint8Array {
    const parts: number[] = [];
    for (const id of ids) {
      const token = this.#textOfAdded.get(id) ?? this.#vocabulary.tokens[id];
      if (token === undefined)
        throw new UserError(`there is no token ${id}: the vocabulary has ${this.vocabSize}`);
      const bytes = Array.from(token, (char) => this.#byteOfVisible.get(char));
      const isText = this.#textOfAdded.has(id) || bytes.includes(undefined);
      for (const byte of isText ? new TextEncoder().encode(token) : (bytes as number[])) parts.push(byte);
    }
    return Uint8Array.from(parts);
  }

  #encodeOrdinary(text: string, ids: number[]): void {
    const { ignoreMerges, unknown } = this.#vocabulary;
    for (const piece of this.#split(text)) {
      const bytes = new TextEncoder().encode(piece);
      const whole = ignoreMerges ? this.#tokenOf(bytes) : undefined;
      if (whole !== undefined) {
        ids.push(whole);
        continue;
      }
      const units: number[] = [];
      let wasUnknown = false;
      for (const byte of bytes) {
        const id = this.#idOfByte[byte];
        if (id !== undefined) units.push(id);
        else if (unknown && !(wasUnknown && unknown.fuse)) units.push(unknown.id);
        wasUnknown = id === undefined;
      }
      for (const id of mergeInOrder(units, this.#mergesOfPairs)) ids.push(id);
    }
  }

  /** The token that a whole piece is, if there is one. */
  #tokenOf(bytes: Uint8Array): number | undefined {
    return this.#idOfToken.get(Array.from(bytes, (byte) => VISIBLE[byte]).join(''));
  }
}

/** Every byte as its visible character. */
const VISIBLE: readonly string[] = Array.from(visibleBytes()).reduce((chars: string[], [char, byte]) => {
  chars[byte] = char;
  return chars;
}, []);

function withoutStandIns(
  text: string,
  standIns: ReadonlyMap<string, string> | undefined,
  normalise: (part: string) => string,
): string {
  let out = text;
  for (const [char, meant] of standIns ?? []) out = out.replaceAll(char, () => normalise(meant));
  return out;
}

function known(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token);
  if (id === undefined)
    throw new UserError(`the vocabulary lacks the token “${token}”: the file may be damaged`);
  return id;
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
