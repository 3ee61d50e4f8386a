import { UserError } from '../../lib/index.ts';
import { splitWords } from './01-splitting.ts';

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
