import ranks from 'gpt-tokenizer/bpeRanks/r50k_base';
import { UserError } from '../../lib/index.ts';

/** Ends a text, where several are strung together. It also serves as padding. */
export const END_OF_TEXT = '<|endoftext|>';
/** Its id: the last one of the vocabulary. */
export const END_OF_TEXT_ID = 50256;

let table: Uint8Array[] | undefined;

/** The bytes that each of GPT-2's 50,256 ordinary tokens stands for, by id. */
export function gpt2TokenBytes(): readonly Uint8Array[] {
  const utf8 = new TextEncoder();
  // A rank is a string where its bytes are text, else (half a character, say) a list of bytes.
  table ??= ranks.map((token) => (typeof token === 'string' ? utf8.encode(token) : Uint8Array.from(token)));
  return table;
}

/** Bytes as a string of one character each, for use as a key. */
export function asKey(bytes: Uint8Array): string {
  let key = '';
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}

/**
 * The text of ids. Bytes that are not UTF-8, such as a character cut in half, become �.
 * @throws if there is no such id
 */
export function decodeWith(
  tokenBytes: readonly Uint8Array[],
  ids: Iterable<number>,
  endOfTextId = END_OF_TEXT_ID,
): string {
  const pieces: Uint8Array[] = [];
  for (const id of ids) {
    const bytes = id === endOfTextId ? new TextEncoder().encode(END_OF_TEXT) : tokenBytes[id];
    if (!bytes) throw new UserError(`decode: there is no token ${id} among ${tokenBytes.length + 1}`);
    pieces.push(bytes);
  }
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let end = 0;
  for (const piece of pieces) {
    joined.set(piece, end);
    end += piece.length;
  }
  // ignoreBOM means: leave a byte order mark in the text, like any other character.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(joined);
}
