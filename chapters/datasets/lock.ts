import { mkdir, open, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How often who holds a lock says that it is still there, and after which silence it is taken to be dead. */
const BEAT_MS = 1000;
const DEAD_AFTER_MS = 15_000;

/**
 * Does the work while no other process does work under the same lock, a file. One that was killed leaves its lock behind; it
 * is broken when its file has not been touched for a while.
 *
 * @param onWait called once if somebody else is at work
 */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  for (let tries = 0; !(await take(path)); tries++) {
    if (tries === 0) onWait();
    const touched = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - touched > DEAD_AFTER_MS) await rm(path, { force: true });
    else await pause(100);
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

/** Makes the file, if it is not there. */
async function take(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
