import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { decodeWith, END_OF_TEXT, END_OF_TEXT_ID, gpt2TokenBytes } from './gpt2-vocabulary.ts';

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

/** Nothing in the text is special to gpt-tokenizer: see below. */
const ORDINARY = { disallowedSpecial: new Set<string>() };

/**
 * The tokeniser of GPT-2: 256 bytes, 50,000 merges of byte pair encoding and one special token. The last section
 * builds one by hand; this is gpt-tokenizer's, which is faster. (Its default export is the vocabulary of newer
 * models. GPT-2's is r50k_base.)
 *
 * Two things are ours, because version 4.0.0 of gpt-tokenizer fails at them: it finds a special token only at the
 * very beginning of a text, and its `decode` keeps half a character back and puts it into the next call's text.
 *
 * One difference from tiktoken is left: gpt-tokenizer cuts a text at JavaScript's white space, which has U+FEFF (the byte
 * order mark) and not U+0085 (a line end of old mainframes), where Unicode's has it the other way round. Around these two
 * characters its ids may be others than GPT-2's; the last section's are GPT-2's.
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
    return texts.flatMap((part, i) => {
      const ids = encode(part, ORDINARY);
      return i === 0 ? ids : [END_OF_TEXT_ID, ...ids];
    });
  },

  decode(ids) {
    return decodeWith(gpt2TokenBytes(), ids);
  },
};

/** A text with a word that nobody has seen, there and back. */
export function showGpt2Tokeniser(nb: Notebook): void {
  const text = `Hello, do you like tea? ${END_OF_TEXT} In the sunlit terracesof someunknownPlace.`;
  const encoded = tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] });
  nb.print(74, repr(encoded));
  nb.print(75, tokeniser.decode(encoded));
}
