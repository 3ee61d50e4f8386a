/** Writing whole files, so that nothing is ever left half-written. */

import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunning } from '#platform/lib/io/lock';
import { UserError } from '../errors.ts';
import { isSystemError, kindOfPath, reasonNotToWrite } from './read-files.node.ts';

/** A file's content: bytes, a text, or pieces one after the other. */
export type Content = Uint8Array | string | Iterable<Uint8Array>;

let beforeChange: (what: string, path: string) => void = () => {};

/**
 * For tests: `listener` is called before everything that this module and its neighbours change on the disk, by one call of
 * the system at a time. A test that ends the process there sees what a reader finds afterwards.
 */
export function onChangeOfDisk(listener: typeof beforeChange): void {
  beforeChange = listener;
}

/** Says that `path` is about to be changed. */
export function announce(what: 'open' | 'write' | 'rename' | 'unlink', path: string): void {
  beforeChange(what, path);
}

/**
 * Writes a file beside its final place and renames it there, so that a reader never sees half of it and an
 * interrupted run leaves the old one intact. Missing folders are made.
 *
 * @throws UserError if the place cannot be written
 */
export async function writeFileAtomically(path: string, content: Content): Promise<void> {
  await writeBeside(path, (write) => writeContent(content, write));
}

/** Gives a file another name, in place of the file that has it. @throws UserError if that cannot be done */
export async function moveFile(from: string, to: string): Promise<void> {
  await explained(to, () => {
    announce('rename', to);
    return rename(from, to);
  });
}

/** Hands all of it to `write`. */
export async function writeContent(
  content: Content,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (typeof content === 'string') await write(new TextEncoder().encode(content));
  else if (content instanceof Uint8Array) await write(content);
  else for (const piece of content) await write(piece);
}

/** Files written so far: no two have the same name while they are incomplete. */
let written = 0;

/**
 * The same for content that comes in pieces: `fill` is handed a function that appends bytes. If `fill`
 * throws, nothing is left behind and its error is passed on.
 */
export async function writeBeside(
  path: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}-${written++}.part`);
  await explained(path, async () => {
    try {
      await writePart(beside, fill, () => removeAbandoned(path));
      announce('rename', path);
      await rename(beside, path);
    } catch (error) {
      await removeQuietly(beside); // the first error is the one to report
      throw error;
    }
  });
}

/** Does the work. @throws UserError in place of an error of the system: `path` cannot be written, and why */
export async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot write ${path}: it ${reasonNotToWrite(error)}`);
  }
}

/** Fills a new file and brings its bytes to the disk: they must be there before another name points to them. */
export async function writePart(
  path: string,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
  prepare?: () => Promise<void>,
): Promise<void> {
  const file = await openToWrite(path, [], prepare);
  try {
    await fill(async (bytes) => {
      announce('write', path);
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
    });
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes a file, or with `recursive` a folder, if it is there and can be removed. */
export async function removeQuietly(path: string, recursive = false): Promise<void> {
  announce('unlink', path);
  await rm(path, { force: true, recursive }).catch(() => {});
}

/** Opens a new file, in a folder that is made if need be; the folders made are noted in `made`. */
function openToWrite(path: string, made: string[], prepare = async () => {}): Promise<FileHandle> {
  return inFolder(dirname(path), made, async () => {
    await prepare();
    announce('open', path);
    return open(path, 'w');
  });
}

/** So often is a folder made again that another process has removed: it had made it, and found it empty. */
const TRIES = 20;

/** Does the work in a folder that is made if need be, and made again if it is gone before the work is done. */
export async function inFolder<T>(folder: string, made: string[], work: () => T | Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      await makeFolder(folder, made);
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === TRIES) throw error;
    }
  }
}

/**
 * Makes a folder and those above it, and notes in `made` what was not there before. One step at a time: Node's own
 * `recursive` never returns below /proc, and answers ENOENT where a step says why, e.g. EROFS.
 */
async function makeFolder(path: string, made: string[]): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (kindOfPath(path) === 'folder') return;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || kindOfPath(dirname(path)) !== 'nothing')
      throw error;
    await makeFolder(dirname(path), made);
    return makeFolder(path, made);
  }
  made.push(path);
}

/** A file whose process is gone, and that nobody has written to for this long, will never be finished. */
const ABANDONED_MS = 60_000;

/** Removes what earlier processes, killed while they wrote this file, have left beside it. */
async function removeAbandoned(path: string): Promise<void> {
  const start = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    const id = name.startsWith(start) && /^(\d+)(-\d+)?\.part$/.exec(name.slice(start.length))?.[1];
    if (!id || isRunning(Number(id))) continue;
    const part = join(dirname(path), name);
    const age = await stat(part).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_MS) await removeQuietly(part); // it only takes room
  }
}

/**
 * Finds out, by trying, whether files can be written to a folder that need not be there yet: a run of minutes should
 * not end with a line that its results cannot be saved. It leaves everything as it was.
 *
 * @throws UserError if nothing can be written there
 */
export async function requireWritableFolder(path: string): Promise<void> {
  const made: string[] = [];
  const probe = join(path, `.${process.pid}-${written++}.part`);
  try {
    const file = await openToWrite(probe, made);
    await file.write(Uint8Array.of(0)).finally(() => file.close()); // a full disk still takes names
  } catch (error) {
    throw new UserError(`cannot write to ${path}: it ${reasonNotToWrite(error)}`);
  } finally {
    await removeQuietly(probe);
    // Only empty folders are removed; whoever has found one meanwhile makes it again.
    for (const folder of made.reverse()) await rmdir(folder).catch(() => {});
  }
}

/**
 * Finds out whether so many bytes fit on the disk that a folder is on, or will be on.
 * @throws UserError if they do not
 */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  let there = folder;
  while (kindOfPath(there) === 'nothing' && dirname(there) !== there) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  if (bavail * bsize >= bytes) return;
  const [left, needed] = [Math.floor((bavail * bsize) / 1e6), Math.ceil(bytes / 1e6)];
  throw new UserError(
    `the disk of ${folder} has ${left} MB left, and ${needed} MB are needed: make room or choose another place`,
  );
}
