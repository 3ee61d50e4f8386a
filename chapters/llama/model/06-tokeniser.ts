import { UserError } from '../../../lib/index.ts';
import {
  type MergeOfPair,
  mergeByRank,
  PIECES,
  pairKey,
  remembered,
  visibleBytes,
} from '../../chapter02/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { FileTokeniser, type FileVocabulary } from './file-tokeniser.ts';
import type { TextIndex, Texts } from './text-index.ts';

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

export interface Vocabulary extends FileVocabulary {
  /** By id; bytes are written as visible characters (chapter 2's `visibleBytes`), special tokens as they are. */
  tokens: Texts;
  /** `left right`, in the order in which they were learnt. */
  merges: readonly string[];
  /** GPT-2's pieces, but every digit by itself: SmolLM2's way. */
  splitDigits?: boolean;
  /** Another way to cut a text. */
  split?: Splitting;
  /** Is a piece that is a token as a whole taken as that token, whatever the merges would make of it? */
  ignoreMerges?: boolean;
  /** The token of a byte that has none; such a byte is left out where there is no such token either. */
  unknown?: { id: number; fuse: boolean };
}

export class BpeTokeniser extends FileTokeniser {
  readonly #vocabulary: Vocabulary;
  readonly #split: Splitting;
  readonly #idOfByte: number[] = [];
  readonly #mergesOfPairs = new Map<number, MergeOfPair>();
  readonly #byteOfVisible = visibleBytes();

  /** @throws UserError if a merge is not in the list of tokens */
  constructor(vocabulary: Vocabulary) {
    super(vocabulary);
    this.#vocabulary = vocabulary;
    this.#split = vocabulary.split ?? (vocabulary.splitDigits ? splitAsSmolLM : splitAsGpt2);
    const ids = this.idOfToken;
    // Not every vocabulary has the 13 bytes that never occur in UTF-8.
    for (const [visible, byte] of this.#byteOfVisible)
      if (ids.has(visible)) this.#idOfByte[byte] = ids.get(visible)!;
    vocabulary.merges.forEach((line, rank) => {
      const [left, right] = line.split(' ');
      const pair = [known(ids, left), known(ids, right)] as const;
      // The first of two merges of the same pair counts.
      const key = pairKey(...pair);
      if (this.#mergesOfPairs.has(key)) return;
      this.#mergesOfPairs.set(key, { left: pair[0], right: pair[1], rank, merged: known(ids, left + right) });
    });
  }

  protected override bytesOf(token: string, isAdded: boolean): Iterable<number> {
    const bytes = Array.from(token, (char) => this.#byteOfVisible.get(char));
    const isText = isAdded || bytes.includes(undefined);
    return isText ? new TextEncoder().encode(token) : (bytes as number[]);
  }

  protected override encodeOrdinary(text: string, ids: number[]): void {
    for (const piece of this.#split(text)) for (const id of this.#idsOf(piece)) ids.push(id);
  }

  /** The ids of a piece, whose boundaries no merge crosses. */
  readonly #idsOf = remembered((piece): readonly number[] => {
    const { ignoreMerges, unknown } = this.#vocabulary;
    const bytes = new TextEncoder().encode(piece);
    const whole = ignoreMerges ? this.#tokenOf(bytes) : undefined;
    if (whole !== undefined) return [whole];
    const units: number[] = [];
    let wasUnknown = false;
    for (const byte of bytes) {
      const id = this.#idOfByte[byte];
      if (id !== undefined) units.push(id);
      else if (unknown && !(wasUnknown && unknown.fuse)) units.push(unknown.id);
      wasUnknown = id === undefined;
    }
    return mergeByRank(units, (left, right) => this.#mergesOfPairs.get(pairKey(left, right)));
  });

  /** The token that a whole piece is, if there is one. */
  #tokenOf(bytes: Uint8Array): number | undefined {
    return this.idOfToken.get(Array.from(bytes, (byte) => VISIBLE[byte]).join(''));
  }
}

/** Every byte as its visible character. */
const VISIBLE: readonly string[] = Array.from(visibleBytes()).reduce((chars: string[], [char, byte]) => {
  chars[byte] = char;
  return chars;
}, []);

function known(ids: TextIndex, token: string): number {
  const id = ids.get(token);
  if (id === undefined)
    throw new UserError(`the vocabulary lacks the token “${token}”: the file may be damaged`);
  return id;
}

/** How a text is cut, token by token. */
export function showTokens(
  nb: Notebook,
  tokeniser: FileTokeniser,
  texts: readonly string[] = ['Every effort moves you', 'in 2024: x**2', '<|im_end|>'],
): void {
  for (const text of texts) {
    const ids = tokeniser.encode(text);
    nb.note(
      `${JSON.stringify(text)}: ${ids.map((id) => `${JSON.stringify(tokeniser.decode([id]))} ${id}`).join(', ')}`,
    );
  }
}
