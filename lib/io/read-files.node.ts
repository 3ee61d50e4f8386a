/** Reading files, their hashes and their paths, with errors a user can act on. */

import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';

/**
 * Reads a file, or says in one line why it cannot be read.
 *
 * @param what what the file is to the user, e.g. `the training set`
 * @throws UserError if it is missing, a folder, or not readable
 */
export async function readFileOrExplain(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw cannotRead(path, what, error);
  }
}

/** The one line for a failed read of `path`, which is `what` to the user. */
export function cannotRead(path: string, what: string, error: unknown): UserError {
  return new UserError(`cannot read ${what}: ${path} ${reason(error)}`);
}

/** A file held open: bytes of it are read when they are needed, even if another has taken its name meanwhile. */
export interface OpenFile {
  /** In bytes, when it was opened. */
  readonly size: number;
  /**
   * Reads the bytes begin … end − 1 to the beginning of `target`, or to an array of their own.
   * @throws UserError if it cannot be read, or has become shorter than `end`
   */
  read(begin: number, end: number, target?: Uint8Array): Uint8Array;
  /** Gives the file back; nothing can be read after that. */
  close(): void;
}

/**
 * Opens a file for reading.
 *
 * @param what what the file is to the user, e.g. `the adapter`
 * @throws UserError if it is missing, a folder, or not readable
 */
export function openFile(path: string, what: string): OpenFile {
  let file: number;
  try {
    file = openSync(path, 'r');
    const stat = fstatSync(file);
    if (stat.isDirectory()) {
      closeSync(file);
      throw Object.assign(new Error(), { code: 'EISDIR', syscall: 'read' });
    }
    return {
      size: stat.size,
      read(begin, end, target = new Uint8Array(end - begin)) {
        try {
          return readRange(file, begin, target.subarray(0, end - begin));
        } catch (error) {
          throw cannotRead(path, what, error);
        }
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    throw cannotRead(path, what, error);
  }
}

function readRange(file: number, begin: number, bytes: Uint8Array): Uint8Array {
  for (let done = 0; done < bytes.length; ) {
    // Node reads at most 2 GiB at once.
    const length = Math.min(bytes.length - done, 2 ** 30);
    const read = readSync(file, bytes, done, length, begin + done);
    if (read === 0) throw new Error('it became shorter while it was read');
    done += read;
  }
  return bytes;
}

/** Is there a file or folder of that path, and which? */
export function kindOfPath(path: string): 'file' | 'folder' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing'; // or nothing that may be accessed: whoever opens it will say why
  }
}

/** A path inside a folder. */
export function pathIn(folder: string, name: string): string {
  return join(folder, name);
}

/** The name of a file in its folder. */
export function nameOf(path: string): string {
  return basename(path);
}

/** The folder that a file lies in. */
export function folderOf(path: string): string {
  return dirname(path);
}

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The SHA-256 of a file of any size, read piece by piece. @throws UserError if it cannot be read */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece);
  } catch (error) {
    throw cannotRead(path, 'the file', error);
  }
  return hash.digest('hex');
}

/** @throws UserError if the bytes do not have the expected SHA-256 */
export function checkSha256(bytes: Uint8Array, expected: string, name: string): void {
  const actual = sha256(bytes);
  if (actual !== expected) throw new UserError(wrongHash(name, actual, expected));
}

/** The message for content that is not what was expected. */
export function wrongHash(name: string, actual: string, expected: string): string {
  return (
    `${name} is not the file expected: its SHA-256 begins ${actual.slice(0, 12)}, not ` +
    `${expected.slice(0, 12)}; it may be damaged or cut short, so delete it and get it again`
  );
}

/** Is it an error of the operating system? */
export function isSystemError(error: unknown): error is Error & { code: string; syscall: string } {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/** The same as `reason` for a failed write, whose folders were made if they could be. */
export function reasonNotToWrite(error: unknown): string {
  const isRefused = isSystemError(error) && error.code === 'ENOENT';
  return isRefused ? 'cannot be made there; choose another place' : reason(error);
}

/** A system error in words that follow the path. */
function reason(error: unknown): string {
  const code = isSystemError(error) ? error.code : undefined;
  const words: Record<string, string> = {
    ENOENT: 'does not exist; check the path',
    EISDIR: 'is a folder; name a file',
    ENOTDIR: 'lies under something that is not a folder; check the path',
    EEXIST: 'lies under something that is not a folder; check the path',
    EACCES: 'may not be accessed; check its permissions',
    EPERM: 'may not be accessed; check its permissions',
    EROFS: 'is on a read-only file system; choose another place',
    ENOSPC: 'does not fit, the disk is full; make room or choose another place',
    ENAMETOOLONG: 'has too long a name',
    ERR_FS_FILE_TOO_LARGE: 'is larger than 2 GiB',
  };
  return (code && words[code]) ?? `failed: ${error instanceof Error ? error.message : String(error)}`;
}
