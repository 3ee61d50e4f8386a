/** Work that only one process does at a time. */

import { rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Release, tryLock } from '#platform/lib/io/lock';
import { UserError } from '../errors.ts';
import { reasonNotToWrite } from './read-files.node.ts';
import { inFolder } from './write-files.node.ts';

const WAIT_MS = 20;

/**
 * Does the work while no other process does work under the same lock, a file. Missing folders are made.
 *
 * @param onWait called once if somebody else is at work
 */
export async function withLock<T>(path: string, work: () => Promise<T>, onWait = () => {}): Promise<T> {
  let release: Release | undefined;
  for (let tries = 0; !release; tries++) {
    const lock = await inFolder(dirname(path), [], () => tryLock(path));
    if (typeof lock === 'function') release = lock;
    else {
      if (tries === 0) onWait();
      await pause(WAIT_MS);
    }
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Makes a folder this process's own until it ends: the results of a run. Folders that were made for it and stay empty are
 * removed in the end.
 *
 * @returns how to give it back earlier
 * @throws UserError if another process has it, or nothing can be written there
 */
export async function holdFolder(folder: string): Promise<Release> {
  const made: string[] = [];
  const path = join(folder, '.lock');
  const lock = await inFolder(folder, made, () => tryLock(path)).catch((error) => {
    throw new UserError(`cannot write to ${folder}: it ${reasonNotToWrite(error)}`);
  });
  const removeMade = () => {
    for (const each of made.splice(0).reverse()) {
      try {
        rmdirSync(each);
      } catch {
        return; // it is not empty
      }
    }
  };
  if (typeof lock !== 'function') {
    const who = lock.pid === undefined ? '' : ` (process ${lock.pid})`;
    throw new UserError(`another run${who} writes to ${folder}: wait, or give another --out`);
  }
  const release = () => {
    process.off('exit', release);
    lock();
    removeMade();
  };
  process.on('exit', release);
  return release;
}
