import { UserError } from '../../../lib/index.ts';
import { FileTokeniser, type FileVocabulary } from '../../llama/model/file-tokeniser.ts';
import { TextIndex, type Texts } from '../../llama/model/text-index.ts';

/**
 * Byte pair encoding as SentencePiece has it (Kudo & Richardson 2018, https://arxiv.org/abs/1808.06226). Chapter 2's takes a
 * text for bytes, cuts it into words, and merges within each. Here a text is characters, and a blank is one of them, ▁. No
 * pattern cuts it; pairs are merged wherever the result is a token, the one of the highest score first. A character that
 * is no token becomes the tokens of its bytes.
 *
 *      chapter 2   Hi ☃   →  Hi · ␣☃   →  bytes     48 69 · 20 E2 98 83    →  merges within each piece
 *
 *      here        Hi ☃   →  Hi▁☃      →  characters  H i ▁ ☃  →  merges  →  Hi ▁ ☃  →  Hi ▁ <0xE2> <0x98> <0x83>
 */
export interface SentencePieces extends FileVocabulary {
  /** How early two neighbours are merged: the smallest rank first; undefined if they are not. */
  rankOf: RankOfPair;
}

export type RankOfPair = (left: string, right: string) => number | undefined;

/** What stands for a blank. */
export const BLANK = '▁';

/**
 * Ranks from the scores of the tokens, as a GGUF file has them: any two neighbours that make a token together are merged.
 * @param scores by id
 * @param isMade is a token made by merging? A special one is not, nor a byte.
 */
export function ranksByScore(
  tokens: Texts,
  scores: readonly number[],
  isMade?: (id: number) => boolean,
): RankOfPair {
  const idOf = new TextIndex(tokens, isMade);
  return (left, right) => {
    const id = idOf.get(left + right);
    return id === undefined ? undefined : -scores[id];
  };
}

/** Ranks from a list of merges, `left right` each, as a `tokenizer.json` has it. */
export function ranksByMerges(merges: readonly string[]): RankOfPair {
  const ranks = new Map<string, number>();
  // The last of two merges of the same pair counts there.
  merges.forEach((merge, rank) => {
    ranks.set(merge, rank);
  });
  return (left, right) => ranks.get(`${left} ${right}`);
}

/** A pair of neighbours that could be merged: where it begins, and the length of its text. */
interface Candidate {
  rank: number;
  at: number;
  length: number;
}

/**
 * Merges neighbours, always the pair of the smallest rank, and of equal ones the leftmost, until no pair has one. A text may
 * be long and is one piece, so the pairs wait in a heap, and nothing is searched twice.
 */
export function mergeByRank(units: readonly string[], rankOf: RankOfPair): string[] {
  const texts = [...units];
  const next = units.map((_, i) => i + 1);
  const before = units.map((_, i) => i - 1);
  const heap = new Heap();
  const offer = (at: number) => {
    if (at < 0 || next[at] >= texts.length) return;
    const [left, right] = [texts[at], texts[next[at]]];
    const rank = rankOf(left, right);
    if (rank !== undefined) heap.push({ rank, at, length: left.length + right.length });
  };
  for (let i = 0; i < texts.length; i++) offer(i);
  for (let best = heap.pop(); best; best = heap.pop()) {
    const { at, length } = best;
    const right = next[at];
    // One of the two has become a part of another token since.
    if (texts[at] === '' || right >= texts.length || texts[at].length + texts[right].length !== length)
      continue;
    texts[at] += texts[right];
    texts[right] = '';
    next[at] = next[right];
    if (next[at] < texts.length) before[next[at]] = at;
    offer(before[at]);
    offer(at);
  }
  return texts.filter((text) => text !== '');
}

/** The smallest rank comes out first, and of equal ones the leftmost. */
class Heap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0 && isBefore(item, items[(at - 1) >> 1])) {
      items[at] = items[(at - 1) >> 1];
      at = (at - 1) >> 1;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || !last) return first;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && isBefore(items[child + 1], items[child])) child++;
      if (!isBefore(items[child], last)) break;
      items[at] = items[child];
      at = child;
    }
    items[at] = last;
    return first;
  }
}

const isBefore = (a: Candidate, b: Candidate) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);

const BYTE = /^<0x([0-9A-F]{2})>$/;

export class SentencePieceTokeniser extends FileTokeniser {
  readonly #rankOf: RankOfPair;
  readonly #idOfByte: readonly number[];

  /** @throws UserError if a byte has no token */
  constructor({ rankOf, ...vocabulary }: SentencePieces) {
    super({ ...vocabulary, normalise: (text) => text.replaceAll(' ', BLANK) });
    this.#rankOf = rankOf;
    this.#idOfByte = Array.from({ length: 256 }, (_, byte) => {
      const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
      const id = this.idOfToken.get(name);
      if (id === undefined)
        throw new UserError(`the vocabulary lacks the token “${name}”: the file may be damaged`);
      return id;
    });
  }

  protected override encodeOrdinary(text: string, ids: number[]): void {
    for (const token of mergeByRank(Array.from(text), this.#rankOf)) {
      const id = this.idOfToken.get(token);
      if (id !== undefined) ids.push(id);
      else for (const byte of new TextEncoder().encode(token)) ids.push(this.#idOfByte[byte]);
    }
  }

  protected override bytesOf(token: string, isAdded: boolean): Iterable<number> {
    const byte = isAdded ? undefined : BYTE.exec(token)?.[1];
    return byte === undefined
      ? new TextEncoder().encode(token.replaceAll(BLANK, ' '))
      : [Number.parseInt(byte, 16)];
  }
}
