/**
 * Files that belong together: an adapter's tensors and its configuration, the three parts of a data set, a model's weights
 * and its index. One of them, the first, is the one without which no program reads the others. They are replaced so:
 *
 *      1  the new ones are written beside their places      a reader finds  the old ones
 *      2  a journal is written: from here on they count                     the old ones
 *      3  the old first one is removed                                      no first file: nothing is believed
 *      4  the new ones get their names, the first one last                  no first file, then all of the new ones
 *      5  the journal is removed                                            the new ones
 *
 * Whoever is killed before 2 has changed nothing; after 2 the next reader of ours finishes the work. Another program, such
 * as PEFT, misses the first file meanwhile and says so.
 */

import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { tryLock } from '#platform/lib/io/lock';
import { UserError } from '../errors.ts';
import { withLock } from './one-at-a-time.node.ts';
import { isSystemError, kindOfPath, reasonNotToWrite } from './read-files.node.ts';
import {
  announce,
  type Content,
  explained,
  removeQuietly,
  writeContent,
  writePart,
} from './write-files.node.ts';

/** A file's content; what writes a file or a folder at a place that it is told; or null for what must not stay beside the others. */
export type Together = Content | ((place: string) => Promise<unknown>) | null;

/**
 * Replaces files and folders of one folder as one: killed at any moment, a reader afterwards finds all of the old ones or all
 * of the new ones. Missing folders are made.
 *
 * @param files by name, in the order in which they are written; the first is the one that no reader does without
 * @throws UserError if they cannot be written; the old ones are whole then
 */
export async function replaceTogether(folder: string, files: Record<string, Together>): Promise<void> {
  const first = join(folder, Object.keys(files)[0]);
  const isThere = (name: string) => kindOfPath(join(folder, name)) !== 'nothing';
  const names = Object.keys(files).filter((name) => files[name] !== null || isThere(name));
  const parts = names.filter((name) => files[name] !== null);
  const wanted = JSON.stringify(Object.fromEntries(names.map((name) => [name, files[name] !== null])));
  await explained(first, () => {
    return withLock(lockOf(first), async () => {
      finish(first);
      try {
        for (const name of parts) {
          await writeNew(partOf(first, name), files[name]!);
          requireSameKind(partOf(first, name), join(folder, name));
        }
        if (names.length === 1) {
          announce('rename', first);
          renameSync(partOf(first, names[0]), first);
        } else await writePart(journalOf(first), (write) => writeContent(wanted, write));
      } catch (error) {
        for (const name of parts) await removeQuietly(partOf(first, name), typeof files[name] === 'function');
        await removeQuietly(journalOf(first));
        throw error;
      }
      finish(first);
    });
  });
}

/** Writes a new one beside its place; what a killed process has left there is removed. */
async function writeNew(part: string, content: Exclude<Together, null>): Promise<void> {
  if (typeof content !== 'function') return writePart(part, (write) => writeContent(content, write));
  await removeQuietly(part, true);
  await content(part);
}

/** What has been replaced halfway could not be finished. @throws UserError if a file would get a folder's place, or a folder a file's */
function requireSameKind(part: string, path: string): void {
  const [kind, there] = [part, path].map(kindOfPath);
  if (there !== 'nothing' && there !== kind)
    throw new UserError(`cannot write ${path}: there is a ${there} of that name, and a ${kind} is written`);
}

/** A reader begins again if the files were replaced while it read them, but not for ever. */
const TRIES = 20;

/**
 * Reads files that belong together: all of the old ones or all of the new ones, even if they are replaced at this moment.
 *
 * @param first the path of the one that is never missing
 * @param read opens or reads them; called again if they were replaced meanwhile
 * @throws UserError if a process was killed while it replaced them, and this one cannot finish its work
 */
export function readTogether<T>(first: string, read: () => T): T {
  for (let tries = 1; ; tries++) {
    settle(first);
    const before = stampOf(first);
    const isSame = () => stampOf(first) === before || tries === TRIES;
    try {
      const result = read();
      if (isSame()) return result;
    } catch (error) {
      if (isSame()) throw error;
    }
  }
}

/** The same for what is read with pauses in between. */
export async function readTogetherAsync<T>(first: string, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    settle(first);
    const before = stampOf(first);
    const isSame = () => stampOf(first) === before || tries === TRIES;
    try {
      const result = await read();
      if (isSame()) return result;
    } catch (error) {
      if (isSame()) throw error;
    }
  }
}

const partOf = (first: string, name: string) => join(dirname(first), `.${name}.of.${basename(first)}.part`);
const journalOf = (first: string) => join(dirname(first), `.${basename(first)}.journal.part`);
const lockOf = (first: string) => join(dirname(first), `.${basename(first)}.lock`);

/** Which file is there: another one has another number, or at least another date. */
function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    return ''; // nothing that can be read: whoever opens it will say why
  }
}

/** The files that a journal says are to be there, or not; undefined without one, or with one that is not complete. */
function readJournal(first: string): Record<string, boolean> | undefined {
  try {
    return JSON.parse(readFileSync(journalOf(first), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Steps 3 to 5, as far as they are not done. Only who holds the lock may take them. */
function finish(first: string): void {
  const journal = readJournal(first);
  if (!journal) return;
  const [name, ...others] = Object.keys(journal);
  const remove = (path: string) => {
    announce('unlink', path);
    rmSync(path, { force: true, recursive: true });
  };
  const putInPlace = (other: string) => {
    const path = join(dirname(first), other);
    const kind = kindOfPath(partOf(first, other));
    if (kind === 'nothing') return; // it is in its place
    if (kind === 'folder') remove(path); // a folder gets no other's name
    announce('rename', path);
    renameSync(partOf(first, other), path);
  };
  if (kindOfPath(partOf(first, name)) === 'file') remove(first);
  for (const other of others) {
    if (journal[other]) putInPlace(other);
    else remove(join(dirname(first), other));
  }
  putInPlace(name);
  remove(journalOf(first));
}

/** What a reader waits for another process that is at steps 3 to 5. */
const MOST_WAIT_MS = 5_000;
const WAIT_MS = 10;

/** Finishes what another process has begun and, since it was killed, will not finish. */
function settle(first: string): void {
  const where = `${dirname(first)} is half replaced`;
  for (let waited = 0; readJournal(first); waited += WAIT_MS) {
    try {
      const lock = tryLock(lockOf(first));
      if (typeof lock === 'function') {
        try {
          finish(first);
        } finally {
          lock();
        }
      } else if (lock.isOwn) finish(first); // steps 3 to 5 are taken without a pause: this thread is between 2 and 3
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new UserError(
        `${where} by a run that was killed, and cannot be finished: it ${reasonNotToWrite(error)}`,
      );
    }
    if (waited > MOST_WAIT_MS) throw new UserError(`${where} by another run at this moment: try again`);
    if (readJournal(first)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  }
}
