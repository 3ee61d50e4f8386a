import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr, tuple } from '../common/python.ts';
import { splitWords } from './02-splitting.ts';

/** Word → id, and in the order of the ids. */
export type Vocabulary = ReadonlyMap<string, number>;

/** Numbers the distinct words of a text in the order of their code points (capitals before small letters). */
export function buildVocabulary(words: readonly string[]): Vocabulary {
  // The default sort compares UTF-16 units; a text beyond U+FFFF would need code points, as in Python.
  return new Map([...new Set(words)].sort().map((word, id) => [word, id]));
}

/** A tokeniser whose vocabulary is the words of one text. */
export class SimpleTokeniserV1 {
  protected readonly ids: Vocabulary;
  private readonly words: readonly string[];

  constructor(vocabulary: Vocabulary) {
    this.ids = vocabulary;
    this.words = [...vocabulary.keys()];
  }

  /** @throws UserError for a word that the vocabulary lacks: the next section deals with those */
  encode(text: string): number[] {
    return splitWords(text).map((word) => {
      const id = this.ids.get(word);
      if (id === undefined)
        throw new UserError(`the vocabulary has no word “${word}”; V2 writes <|unk|> for it`);
      return id;
    });
  }

  /** Joined by spaces, except before punctuation. Where the text had other spaces, they are lost. */
  decode(ids: Iterable<number>): string {
    const text = Array.from(ids, (id) => this.words[id]).join(' ');
    return text.replace(/\s+([,.:;?!"()'])/g, '$1');
  }
}

/** The vocabulary of a text, and one of its sentences there and back. Returns the vocabulary. */
export function showSimpleTokeniser(nb: Notebook, words: readonly string[], isVerdict: boolean): Vocabulary {
  const vocabulary = buildVocabulary(words);
  nb.print(36, vocabulary.size);
  for (const [word, id] of [...vocabulary].slice(0, 51)) nb.print(39, tuple(word, id));
  const v1 = new SimpleTokeniserV1(vocabulary);
  // The book's sentence; for another text, its first words.
  const sentence = isVerdict
    ? '"It\'s the last he painted, you know," Mrs. Gisburn said with pardonable pride.'
    : words.slice(0, 21).join(' ');
  const ids = v1.encode(sentence);
  nb.print(47, repr(ids));
  nb.print(49, v1.decode(ids));
  nb.print(50, v1.decode(v1.encode(v1.decode(ids))));
  return vocabulary;
}
