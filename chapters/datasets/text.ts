import { io, UserError } from '../../lib/index.ts';

/**
 * Bytes as text. Bytes that are not UTF-8 would become �, and a model would learn that.
 * @throws UserError if they are not UTF-8
 */
export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path} is not text in UTF-8: convert it, or give another file`);
  }
}

/** @throws UserError if the file cannot be read, is not UTF-8, or has nothing but white space in it */
export async function readText(path: string, what = 'the text'): Promise<string> {
  return requireText(decodeText(await io.readFileOrExplain(path, what), path), path);
}

/** @throws UserError if a text has nothing but white space in it */
export function requireText(text: string, path: string): string {
  if (text.trim() === '') throw new UserError(`${path} is empty: give a file with some text in it`);
  return text;
}
