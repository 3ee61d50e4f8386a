/** Files of this machine: read, written so that none is ever half there, replaced together, locked. */
export type { Release } from '#platform/lib/io/lock';
export { holdFolder, withLock } from './one-at-a-time.node.ts';
export {
  cannotRead,
  checkSha256,
  folderOf,
  kindOfPath,
  nameOf,
  type OpenFile,
  openFile,
  pathIn,
  readFileOrExplain,
  sha256,
  sha256OfFile,
  wrongHash,
} from './read-files.node.ts';
export { readTogether, readTogetherAsync, replaceTogether, type Together } from './together.node.ts';
export {
  type Content,
  moveFile,
  requireRoom,
  requireWritableFolder,
  writeBeside,
  writeFileAtomically,
} from './write-files.node.ts';
