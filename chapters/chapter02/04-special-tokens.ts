import type { Notebook } from '../common/notebook.ts';
import { repr, tuple } from '../common/python.ts';
import { splitWords } from './02-splitting.ts';
import { SimpleTokeniserV1, type Vocabulary } from './03-simple-tokeniser.ts';
import { END_OF_TEXT } from './gpt2-vocabulary.ts';

/** Stands for every word that the vocabulary lacks. */
export const UNKNOWN = '<|unk|>';

/** The vocabulary with two more ids: the end of a text, and the unknown word. */
export function withSpecialTokens(vocabulary: Vocabulary): Vocabulary {
  return new Map([...vocabulary.keys(), END_OF_TEXT, UNKNOWN].map((word, id) => [word, id]));
}

/**
 * As V1, but an unknown word becomes <|unk|>. Decoding can no longer tell what the word was, and that
 * is why GPT-2 uses neither: byte pair encoding takes unknown words apart instead.
 */
export class SimpleTokeniserV2 extends SimpleTokeniserV1 {
  override encode(text: string): number[] {
    // The separators leave <|endoftext|> in one piece; it is found as a word of the vocabulary.
    return splitWords(text).map((word) => this.ids.get(word) ?? this.ids.get(UNKNOWN)!);
  }
}

/** A word that the vocabulary lacks: first refused, then `<|unk|>`. */
export function showSpecialTokens(nb: Notebook, vocabulary: Vocabulary): void {
  try {
    new SimpleTokeniserV1(vocabulary).encode('Hello, do you like tea. Is this-- a test?');
  } catch (error) {
    nb.print(58, (error as Error).message);
  }
  const extended = withSpecialTokens(vocabulary);
  nb.print(61, extended.size);
  for (const [word, id] of [...extended].slice(-5)) nb.print(62, tuple(word, id));
  const v2 = new SimpleTokeniserV2(extended);
  const text = `Hello, do you like tea? ${END_OF_TEXT} In the sunlit terraces of the palace.`;
  nb.print(66, text);
  nb.print(67, repr(v2.encode(text)));
  nb.print(68, v2.decode(v2.encode(text)));
}
