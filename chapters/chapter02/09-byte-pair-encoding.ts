import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { type EncodeOptions, type Tokeniser, tokeniser } from './05-gpt2-tokeniser.ts';
import { decodeWith, END_OF_TEXT } from './gpt2-vocabulary.ts';
import { PIECES } from './pieces.ts';

/**
 * Byte pair encoding (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes since GPT-2: Radford et
 * al. 2019, section 2.2). A text is bytes, and every byte is a token: so nothing is ever unknown. Then the pair of
 * neighbours that is most frequent in a training text becomes a token of its own, again and again:
 *
 *      l o w ␣ l o w e r      pair l o, 2 times    →  token 256 = lo
 *      lo w ␣ lo w e r        pair lo w, 2 times   →  token 257 = low
 *      low ␣ low e r          …
 *
 * To encode, the same merges are done in the same order.
 */

/** Two neighbouring tokens as one number, for use as a key. */
const ID_LIMIT = 2 ** 20;
export function pairKey(left: number, right: number): number {
  return left * ID_LIMIT + right;
}

/** Puts `merged` wherever `left` stands before `right`. */
export function mergePair(ids: readonly number[], left: number, right: number, merged: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(merged);
      i++; // both are used up
    } else out.push(ids[i]);
  }
  return out;
}

/** What a pair becomes, and how early that was learnt. */
export interface MergeOfPair {
  readonly left: number;
  readonly right: number;
  readonly rank: number;
  readonly merged: number;
}

/** Of all the merges that are possible among neighbours, always the one learnt first, until none is possible. */
export function mergeInOrder(
  ids: readonly number[],
  mergesOfPairs: ReadonlyMap<number, MergeOfPair>,
): readonly number[] {
  for (;;) {
    let earliest: MergeOfPair | undefined;
    for (let i = 0; i + 1 < ids.length; i++) {
      const merge = mergesOfPairs.get(pairKey(ids[i], ids[i + 1]));
      if (merge && !(earliest && earliest.rank <= merge.rank)) earliest = merge;
    }
    if (!earliest) return ids;
    ids = mergePair(ids, earliest.left, earliest.right, earliest.merged);
  }
}

/** The two tokens that become one. The n-th merge makes token 256 + n. */
export type Merge = readonly [left: number, right: number];

/**
 * The bytes of every token: the 256 single ones first, then those of the merges.
 * @param bytes the byte for which each of the first 256 tokens stands: GPT-2 has an order of its own
 */
export function bytesOfTokens(merges: readonly Merge[], bytes: ArrayLike<number>): Uint8Array[] {
  const tokens = Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (const [left, right] of merges) tokens.push(Uint8Array.from([...tokens[left], ...tokens[right]]));
  return tokens;
}

/** The bytes in their natural order. */
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

export class BytePairTokeniser implements Tokeniser {
  readonly merges: readonly Merge[];
  /** What each token stands for. */
  readonly tokenBytes: readonly Uint8Array[];
  /** The end of a text: the last token. */
  readonly endOfTextId: number;
  private readonly mergesOfPairs: ReadonlyMap<number, MergeOfPair>;
  private readonly idOfByte: readonly number[];

  /**
   * @param merges in the order in which they were learnt
   * @param bytes the order of the first 256 tokens, if it is not 0 … 255
   */
  constructor(merges: readonly Merge[], bytes: ArrayLike<number> = ALL_BYTES) {
    this.merges = merges;
    this.tokenBytes = bytesOfTokens(merges, bytes);
    this.endOfTextId = this.tokenBytes.length;
    this.mergesOfPairs = new Map(
      merges.map(([left, right], n) => [pairKey(left, right), { left, right, rank: n, merged: 256 + n }]),
    );
    const idOfByte: number[] = [];
    Array.from(bytes).forEach((byte, id) => {
      idOfByte[byte] = id;
    });
    this.idOfByte = idOfByte;
  }

  /**
   * Learns the merges from a text. Among pairs of equal frequency the one met first wins.
   * @param vocabSize 256 bytes, the merges and the end of text: fewer if no pair is left that occurs twice
   * @throws UserError if there is no room for the 256 bytes and the end of text
   */
  static train(text: string, vocabSize: number): BytePairTokeniser {
    if (!(Number.isInteger(vocabSize) && vocabSize >= 257)) {
      throw new UserError(`a vocabulary of ${vocabSize} is too small: 256 bytes and ${END_OF_TEXT} need 257`);
    }
    let pieces = countPieces(text);
    const merges: Merge[] = [];
    while (merges.length < vocabSize - 257) {
      const best = mostFrequentPair(pieces);
      if (best === undefined) break;
      const [left, right] = best;
      pieces = pieces.map(({ ids, count }) => ({
        ids: mergePair(ids, left, right, 256 + merges.length),
        count,
      }));
      merges.push(best);
    }
    return new BytePairTokeniser(merges);
  }

  get vocabSize(): number {
    return this.endOfTextId + 1;
  }

  /** @throws UserError if the end-of-text token stands in the text without being allowed */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const texts = text.split(END_OF_TEXT);
    if (texts.length > 1 && !new Set(options.allowedSpecial).has(END_OF_TEXT)) {
      throw new UserError(
        `the text contains ${END_OF_TEXT}: take it out, or allow it with { allowedSpecial }`,
      );
    }
    const ids: number[] = [];
    texts.forEach((part, i) => {
      if (i > 0) ids.push(this.endOfTextId);
      for (const [piece] of part.matchAll(PIECES)) for (const id of this.encodePiece(piece)) ids.push(id);
    });
    return ids;
  }

  /** One piece of a text, whose boundaries no merge crosses. */
  encodePiece(piece: string): readonly number[] {
    const bytes = Array.from(new TextEncoder().encode(piece), (byte) => this.idOfByte[byte]);
    return mergeInOrder(bytes, this.mergesOfPairs);
  }

  decode(ids: Iterable<number>): string {
    return decodeWith(this.tokenBytes, ids, this.endOfTextId);
  }
}

interface CountedPiece {
  ids: number[];
  count: number;
}

/** The distinct pieces of a text as bytes, and how often each occurs. */
function countPieces(text: string): CountedPiece[] {
  const counts = new Map<string, number>();
  for (const [piece] of text.matchAll(PIECES)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return Array.from(counts, ([piece, count]) => ({ ids: [...new TextEncoder().encode(piece)], count }));
}

/** The pair of neighbours that occurs most often, if one occurs at least twice. */
function mostFrequentPair(pieces: readonly CountedPiece[]): Merge | undefined {
  const counts = new Map<number, number>();
  for (const { ids, count } of pieces) {
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = pairKey(ids[i], ids[i + 1]);
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  let best: number | undefined;
  let most = 1;
  for (const [key, count] of counts) {
    if (count > most) [best, most] = [key, count];
  }
  return best === undefined ? undefined : [Math.floor(best / ID_LIMIT), best % ID_LIMIT];
}

/**
 * Merges learnt from a text, and how they fit it; then the same tokeniser with GPT-2's merges against gpt-tokenizer.
 * @param gpt2 of `gpt2FromTokens`
 */
export function showBytePairs(nb: Notebook, text: string, gpt2: BytePairTokeniser): void {
  const allowed = { allowedSpecial: [END_OF_TEXT] };
  const own = BytePairTokeniser.train(text, 1000);
  const learnt = own.merges.slice(0, 10).map((_, n) => own.decode([256 + n]));
  nb.note(`${own.merges.length} merges learnt from the text; the first ten make ${repr(learnt)}`);
  nb.note(`the text in those:  ${own.encode(text, allowed).length} tokens`);
  const encoded = gpt2.encode(text, allowed);
  nb.note(`the text in GPT-2's: ${encoded.length} tokens`);
  const sentence = 'Hello, do you like tea? In the sunlit terracesof someunknownPlace.';
  const pieces = gpt2.encode(sentence).map((id) => gpt2.decode([id]));
  nb.note(`“${sentence}” in GPT-2's: ${repr(pieces)}`);
  const same = repr(encoded) === repr(tokeniser.encode(text, allowed));
  nb.note(`built by hand and that of section 2.5 ${same ? 'agree' : 'DIFFER'} on the text`);
  nb.figure('bpeAgrees', same);
}
