import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';

/**
 * The first step from text to numbers: cutting it into pieces. Each expression cuts a little better than the one
 * before; the brackets in it make `split` keep what it cut at.
 */

/** At white space. Punctuation stays with its word. */
export const AT_SPACES = /(\s)/;
/** At white space, commas and full stops. */
export const AT_COMMAS = /([,.]|\s)/;
/** At white space, all punctuation and double hyphens. */
export const AT_PUNCTUATION = /([,.:;?_!"()']|--|\s)/;

/** Drops the pieces that are empty or white space only. */
export function withoutSpaces(pieces: readonly string[]): string[] {
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== '');
}

/** The words and punctuation marks of a text, in order. */
export function splitWords(text: string): string[] {
  return withoutSpaces(text.split(AT_PUNCTUATION));
}

/** From characters to words, one expression after the other. Returns the words of the whole text. */
export function showSplitting(nb: Notebook, text: string): string[] {
  nb.print(18, 'Total number of character:', [...text].length);
  nb.print(18, text.slice(0, 99));
  nb.print(20, repr('Hello, world. This, is a test.'.split(AT_SPACES)));
  const pieces = 'Hello, world. This, is a test.'.split(AT_COMMAS);
  nb.print(22, repr(pieces));
  nb.print(24, repr(withoutSpaces(pieces)));
  nb.print(26, repr(withoutSpaces('Hello, world. Is this-- a test?'.split(AT_PUNCTUATION))));
  const words = splitWords(text);
  nb.print(29, repr(words.slice(0, 30)));
  nb.print(31, words.length);
  return words;
}
