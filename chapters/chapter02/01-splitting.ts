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
