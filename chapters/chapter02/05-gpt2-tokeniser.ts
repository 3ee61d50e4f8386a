import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { asKey, decodeWith, END_OF_TEXT, END_OF_TEXT_ID, gpt2TokenBytes } from './gpt2-vocabulary.ts';
import { mergeByRank, remembered } from './merge-by-rank.ts';
import { PIECES } from './pieces.ts';

/** Text to ids and back. */
export interface Tokeniser {
  readonly vocabSize: number;
  encode(text: string, options?: EncodeOptions): number[];
  decode(ids: Iterable<number>): string;
}

export interface EncodeOptions {
  /** Special tokens that may stand in the text: `['<|endoftext|>']`. */
  allowedSpecial?: Iterable<string>;
}

/**
 * The tokeniser of GPT-2: 256 bytes, 50,000 merges of byte pair encoding and one special token. The last section
 * builds one by hand. This one takes the same vocabulary, gpt-tokenizer's list of tokens in the order in which they were
 * learnt, and merges neighbours whose bytes together are the earliest token of the list, as tiktoken does.
 *
 * gpt-tokenizer's own encoder, version 4.0.0, gives the same ids, but for text around U+FEFF and U+0085, which it takes for
 * white space as JavaScript does and Unicode does not. It decodes bytes to text at each merge, and once 100,000 words are kept
 * it looks for the oldest among all of them: eight megabytes of words that do not occur again take minutes there, and seconds here.
 */
export const tokeniser: Tokeniser = {
  vocabSize: END_OF_TEXT_ID + 1,

  /** @throws UserError if a special token stands in the text that is not allowed there, as tiktoken does */
  encode(text, options = {}) {
    const texts = text.split(END_OF_TEXT);
    if (texts.length > 1 && !new Set(options.allowedSpecial).has(END_OF_TEXT)) {
      throw new UserError(
        `the text contains ${END_OF_TEXT}, which GPT-2 reads as the end of a text: take it out, or allow it with { allowedSpecial: ['${END_OF_TEXT}'] }`,
      );
    }
    const ids: number[] = [];
    texts.forEach((part, i) => {
      if (i > 0) ids.push(END_OF_TEXT_ID);
      for (const piece of part.match(PIECES) ?? []) for (const id of idsOf(piece)) ids.push(id);
    });
    return ids;
  },

  decode(ids) {
    return decodeWith(gpt2TokenBytes(), ids);
  },
};

/** Tokens by their bytes, a character for each. */
let ids: ReadonlyMap<string, number> | undefined;

/** The ids of a piece, whose boundaries no merge crosses. */
const idsOf = remembered((piece): readonly number[] => {
  ids ??= new Map(gpt2TokenBytes().map((bytes, id) => [asKey(bytes), id]));
  const known = ids;
  const key = asKey(new TextEncoder().encode(piece));
  const whole = known.get(key);
  if (whole !== undefined) return [whole];
  const units = mergeByRank(key.split(''), (left, right) => {
    const rank = known.get(left + right);
    return rank === undefined ? undefined : { rank, merged: left + right };
  });
  return units.map((unit) => known.get(unit)!);
});

/** A text with a word that nobody has seen, there and back. */
export function showGpt2Tokeniser(nb: Notebook): void {
  const text = `Hello, do you like tea? ${END_OF_TEXT} In the sunlit terracesof someunknownPlace.`;
  const encoded = tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] });
  nb.print(74, repr(encoded));
  nb.print(75, tokeniser.decode(encoded));
}
