import { splitWords } from './01-splitting.ts';
import { SimpleTokeniserV1, type Vocabulary } from './02-simple-tokeniser.ts';
import { END_OF_TEXT } from './gpt2-vocabulary.ts';

/** Stands for every word that the vocabulary lacks. */
export const UNKNOWN = '<|unk|>';

/** The vocabulary with two ids more: the end of a text, and the unknown word. */
export function withSpecialTokens(vocabulary: Vocabulary): Vocabulary {
  return new Map([...vocabulary.keys(), END_OF_TEXT, UNKNOWN].map((word, id) => [word, id]));
}

/**
 * As V1, but an unknown word becomes <|unk|>. What the word was cannot be told any more when decoding, and that
 * is why GPT-2 uses neither: byte pair encoding takes unknown words apart instead.
 */
export class SimpleTokeniserV2 extends SimpleTokeniserV1 {
  override encode(text: string): number[] {
    // The separators leave <|endoftext|> in one piece; it is found as a word of the vocabulary.
    return splitWords(text).map((word) => this.ids.get(word) ?? this.ids.get(UNKNOWN)!);
  }
}
