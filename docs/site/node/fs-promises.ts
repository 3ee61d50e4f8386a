/** `node:fs/promises`, as far as the chapters use it. */

import * as fs from './fs.ts';
import { kindOf, makeFolder, remove, systemError, writeBytes } from './store.ts';

type Path = string | URL;

export const readFile = async (path: Path, encoding?: string) => fs.readFileSync(path, encoding);
export const writeFile = async (path: Path, content: Uint8Array | string) => fs.writeFileSync(path, content);
export const stat = async (path: Path) => fs.statSync(path)!;
export const realpath = async (path: Path) => fs.pathOf(path);
export const mkdir = async (path: Path) => makeFolder(fs.pathOf(path));
export const mkdtemp = async (prefix: string) => fs.mkdtempSync(prefix);
export const readdir = async (path: Path) => fs.readdirSync(path);
export const rm = async (path: Path) => remove(fs.pathOf(path));
export const unlink = rm;

/** A page is not told how much there is room for. */
export const statfs = async (_path: Path) => ({ bavail: Number.MAX_SAFE_INTEGER, bsize: 1 });
export const rmdir = async (path: Path) => fs.rmdirSync(path);
export const rename = async (from: Path, to: Path) => fs.renameSync(from, to);

export async function access(path: Path): Promise<void> {
  if (!kindOf(fs.pathOf(path))) throw systemError('ENOENT', 'access', fs.pathOf(path));
}

/** A file to write to; it has its name from the beginning, unfinished. */
export async function open(path: Path, _flags?: string) {
  const name = fs.pathOf(path);
  const pieces: Uint8Array[] = [];
  writeBytes(name, new Uint8Array(), false);
  return {
    async write(bytes: Uint8Array) {
      pieces.push(bytes.slice());
      return { bytesWritten: bytes.length };
    },
    async sync() {},
    async close() {
      const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
      let end = 0;
      for (const piece of pieces) {
        whole.set(piece, end);
        end += piece.length;
      }
      writeBytes(name, whole, !/\.part$/.test(name));
    },
  };
}

/** The little Node keeps no times. */
export async function utimes(): Promise<void> {}
