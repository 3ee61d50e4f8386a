/** The twin of files.node.ts for browsers, where there are no files by name: bytes are handed over instead. */

import { UserError } from '../errors.ts';
import type * as node from './files.node.ts';

export type { OpenFile } from './files.node.ts';

function noFiles(path: string): UserError {
  return new UserError(
    `${path}: a browser cannot read or write files by name; hand over their bytes instead`,
  );
}

export const readFileOrExplain: typeof node.readFileOrExplain = async (path) => {
  throw noFiles(path);
};
export const openFile: typeof node.openFile = (path) => {
  throw noFiles(path);
};
export const writeFileAtomically: typeof node.writeFileAtomically = async (path) => {
  throw noFiles(path);
};
export const moveFile: typeof node.moveFile = async (_from, to) => {
  throw noFiles(to);
};
export const sha256: typeof node.sha256 = () => {
  throw new UserError('a browser has no SHA-256 that answers at once: compare the bytes elsewhere');
};
export const writeBeside: typeof node.writeBeside = async (path) => {
  throw noFiles(path);
};
export const replaceTogether: typeof node.replaceTogether = async (folder) => {
  throw noFiles(folder);
};
export const readTogether: typeof node.readTogether = (first) => {
  throw noFiles(first);
};
export const requireWritableFolder: typeof node.requireWritableFolder = async (path) => {
  throw noFiles(path);
};
export const kindOfPath: typeof node.kindOfPath = () => 'nothing';
export const pathIn: typeof node.pathIn = (folder, name) => `${folder}/${name}`;
export const folderOf: typeof node.folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
export const nameOf: typeof node.nameOf = (path) => path.slice(path.lastIndexOf('/') + 1);
