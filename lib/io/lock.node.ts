/**
 * Locks between processes: a file that says who holds it. It is there while its owner works, and is taken over at once when
 * its owner is gone, however that process ended.
 *
 * (proper-lockfile, the usual library, knows a dead owner only by a date that a timer stopped renewing. A training step of
 * ten seconds stops that timer too; and after a kill, nobody could go on until the date is old.)
 */

import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

/** Who holds a lock. */
export interface Holder {
  /** Its process's number, if the file says so. */
  pid: number | undefined;
  /** Is it this thread? */
  isOwn: boolean;
}

/** Frees a lock. */
export type Release = () => void;

/** The locks that this thread holds, by path, with what stands in their files. */
const held = new Map<string, string>();

/** An owner on another machine is taken to be gone when it has not touched its lock for so long. */
const SILENT_MS = 600_000;
/** And a file without an owner's name in it, because its process was killed between two calls, after this. */
const NAMELESS_MS = 5_000;
const TOUCH_MS = 5_000;

/**
 * Takes a lock, unless somebody else holds it.
 *
 * @param path the lock's file, in a folder that is there
 * @returns how to free it, or who holds it
 * @throws Error of the system if the file cannot be made
 */
export function tryLock(path: string): Release | Holder {
  const me: Owner = { pid: process.pid, thread: threadId, host: hostname(), began: beginOf(process.pid) };
  const text = JSON.stringify(me);
  for (;;) {
    if (create(path, text)) break;
    const found = read(path);
    if (found === undefined) continue; // it was freed just now
    const owner = ownerIn(found);
    if (isHeld(path, owner)) return { pid: owner?.pid, isOwn: found === text };
    takeAway(path, found);
  }
  held.set(path, text);
  const touch = setInterval(() => overwrite(path, text), TOUCH_MS).unref();
  return () => {
    clearInterval(touch);
    held.delete(path);
    if (read(path) === text) rmSync(path, { force: true });
  };
}

/** What a lock's file says. */
interface Owner {
  pid: number;
  thread: number;
  host: string;
  /** When the process began, in the system's own count: another process may get the same number later. */
  began: string;
}

/** Makes the file, if there is none. */
function create(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(file, text);
  } catch (error) {
    rmSync(path, { force: true }); // the disk is full
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

/** Writes the same again, which renews the file's date, if the file is there and ours. */
function overwrite(path: string, text: string): void {
  if (read(path) !== text) return;
  try {
    const file = openSync(path, 'r+');
    writeSync(file, text, 0);
    closeSync(file);
  } catch {
    // it was taken away by hand: nothing to renew
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ownerIn(text: string): Owner | undefined {
  try {
    const { pid, thread, host, began } = JSON.parse(text);
    return { pid, thread, host, began };
  } catch {
    return undefined;
  }
}

function isHeld(path: string, owner: Owner | undefined): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  const silence = stat ? Date.now() - stat.mtimeMs : 0;
  if (!owner) return silence < NAMELESS_MS;
  if (owner.host !== hostname()) return silence < SILENT_MS;
  if (owner.pid === process.pid && owner.thread === threadId) return held.has(path);
  return isRunning(owner.pid) && beginOf(owner.pid) === owner.began;
}

/** Takes a dead owner's lock away. If it has become another's meanwhile, that one gets it back. */
function takeAway(path: string, dead: string): void {
  const aside = `${path}.${process.pid}-${threadId}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another has been quicker
  }
  if (read(aside) !== dead) {
    try {
      linkSync(aside, path);
    } catch {
      // a third has it already, or the file system has no links: its owner will find it gone, and does no harm by that
    }
  }
  rmSync(aside, { force: true });
}

/** Is there a process of this number on this machine? One that has ended and is not yet collected does not count. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  return statOf(pid)?.[0] !== 'Z';
}

/** When a process began, or nothing where the system does not say. */
function beginOf(pid: number): string {
  return statOf(pid)?.[19] ?? '';
}

/** What Linux tells of a process in /proc/PID/stat, from its third field on: its state first, its beginning as the 20th. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
