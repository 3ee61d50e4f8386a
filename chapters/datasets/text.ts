import { io, UserError } from '../../lib/index.ts';

/**
 * Bytes as text, without a byte order mark: UTF-8, or UTF-16 where such a mark says so. Other bytes would become �, and a
 * model would learn that.
 *
 * @throws UserError if they are not what they should be
 */
export function decodeText(bytes: Uint8Array, path: string): string {
  const mark = bytes[0] * 256 + bytes[1];
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes).replace(/^\uFEFF+/, '');
  } catch {
    throw new UserError(
      `${path} is not text in UTF-8: convert it (iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW), or give another file`,
    );
  }
  if (!text.includes('\0')) return text;
  throw new UserError(
    `${path} has characters of the number 0, as UTF-16 without its mark has and text has not: ` +
      'convert it (iconv -f UTF-16LE -t UTF-8 FILE > NEW), or give another file',
  );
}

/** What a JSON text says. @throws UserError if it is not JSON */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = String(error instanceof Error ? error.message : error).replaceAll(/\s+/g, ' '); // it may quote lines of the file
    throw new UserError(`${path} is not readable JSON (${why}); it may be cut short, so get it again`);
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
