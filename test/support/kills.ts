import { onChangeOfDisk } from '../../lib/io/write-files.node.ts';

/** What a process that was killed would not have lived to see. */
export class Killed extends Error {}

/**
 * Does the work as a process does that is killed just before its change number `at` of the disk: nothing changes after that,
 * whatever the work tries in order to tidy up.
 *
 * @returns was it killed, or did it come to its end first?
 */
export async function killedBefore(at: number, work: () => Promise<unknown>): Promise<boolean> {
  let changes = 0;
  onChangeOfDisk(() => {
    if (++changes > at) throw new Killed();
  });
  try {
    await work();
    return false;
  } catch (error) {
    if (changes > at) return true;
    throw error;
  } finally {
    onChangeOfDisk(() => {});
  }
}

/** Kills the work at each of its changes of the disk in turn, and looks at what is there each time. @returns how many there are */
export async function killEverywhere(
  prepare: () => Promise<unknown>,
  work: () => Promise<unknown>,
  look: (at: number) => Promise<unknown> | unknown,
): Promise<number> {
  for (let at = 0; ; at++) {
    await prepare();
    const wasKilled = await killedBefore(at, work);
    await look(at);
    if (!wasKilled) return at;
  }
}
