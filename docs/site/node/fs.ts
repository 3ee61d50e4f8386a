/** `node:fs`, as far as the chapters use it, over the files in memory. */

import { kindOf, makeFolder, namesIn, readBytes, remove, systemError, writeBytes } from './store.ts';
import { fileURLToPath } from './url.ts';

type Path = string | URL;

export function pathOf(path: Path): string {
  return typeof path === 'string' ? path : fileURLToPath(path);
}

export function readFileSync(path: Path, encoding?: string | { encoding?: string }): Uint8Array | string {
  const name = pathOf(path);
  const bytes = bytesOf(name, 'open');
  const asText = typeof encoding === 'string' ? encoding : encoding?.encoding;
  return asText ? new TextDecoder().decode(bytes) : bytes.slice();
}

export function writeFileSync(path: Path, content: Uint8Array | string): void {
  writeBytes(pathOf(path), typeof content === 'string' ? new TextEncoder().encode(content) : content.slice());
}

function bytesOf(path: string, syscall: string): Uint8Array {
  if (kindOf(path) === 'folder') throw systemError('EISDIR', 'read', path);
  const bytes = readBytes(path);
  if (!bytes) throw systemError('ENOENT', syscall, path);
  return bytes;
}

export const existsSync = (path: Path): boolean => kindOf(pathOf(path)) !== undefined;
export const realpathSync = Object.assign((path: Path): string => pathOf(path), {
  native: (path: Path): string => pathOf(path),
});
export const readdirSync = (path: Path): string[] => namesIn(pathOf(path));
export const mkdirSync = (path: Path): void => makeFolder(pathOf(path));
export const rmSync = (path: Path): void => remove(pathOf(path));

export function renameSync(from: Path, to: Path): void {
  const bytes = bytesOf(pathOf(from), 'rename');
  remove(pathOf(from));
  writeBytes(pathOf(to), bytes);
}

export function rmdirSync(path: Path): void {
  if (namesIn(pathOf(path)).length > 0) throw systemError('ENOTEMPTY', 'rmdir', pathOf(path));
  remove(pathOf(path));
}

export const mkdtempSync = (prefix: string): string => {
  const path = `${prefix}${crypto.randomUUID().slice(0, 6)}`;
  makeFolder(path);
  return path;
};

export interface Stat {
  size: number;
  isDirectory(): boolean;
  isFile(): boolean;
}

export function statSync(path: Path, options: { throwIfNoEntry?: boolean } = {}): Stat | undefined {
  const name = pathOf(path);
  const kind = kindOf(name);
  if (!kind && options.throwIfNoEntry === false) return undefined;
  if (!kind) throw systemError('ENOENT', 'stat', name);
  const size = kind === 'file' ? (readBytes(name)?.length ?? 0) : 0;
  return { size, isDirectory: () => kind === 'folder', isFile: () => kind === 'file' };
}

/** Open files by number: the bytes as they were then, even if another takes the name. */
const open = new Map<number, { path: string; bytes: Uint8Array }>();
let lastNumber = 2;

export function openSync(path: Path): number {
  const name = pathOf(path);
  const isFolder = kindOf(name) === 'folder';
  open.set(++lastNumber, { path: name, bytes: isFolder ? new Uint8Array() : bytesOf(name, 'open') });
  return lastNumber;
}

export const closeSync = (file: number): void => void open.delete(file);
export const fstatSync = (file: number): Stat => statSync(open.get(file)!.path)!;

export function readSync(
  file: number,
  into: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const piece = open.get(file)!.bytes.subarray(position, position + length);
  into.set(piece, offset);
  return piece.length;
}

export async function* createReadStream(path: Path): AsyncGenerator<Uint8Array> {
  yield bytesOf(pathOf(path), 'open');
}
