/**
 * Safetensors on disk. Only the header is read at once; a tensor's numbers are read from the file when its
 * `data` is asked for, so a model larger than memory's comfort, or than Node's 2 GiB limit for one read,
 * loads tensor by tensor.
 */

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { cannotRead, writeFileAtomically } from './files.ts';
import { readSafetensorsFrom, type SafetensorsFile } from './safetensors.ts';
import { type TensorToStore, writeSafetensors } from './safetensors-write.ts';

/**
 * Opens a safetensors file: checks its header and sizes, reads no numbers yet.
 *
 * @param what what the file is to the user, e.g. `the adapter`
 * @throws UserError if it is missing or does not hold together; `data` throws if it vanishes meanwhile
 */
export function openSafetensors(path: string, what = 'the weights'): SafetensorsFile {
  const explained = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw cannotRead(path, what, error);
    }
  };
  const size = explained(() => statSync(path).size);
  return readSafetensorsFrom((begin, end) => explained(() => readRange(path, begin, end)), size, path);
}

/** Writes the tensors as one safetensors file, beside and then renamed. Options as in `writeSafetensors`. */
export async function saveSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorToStore]>,
  options?: Parameters<typeof writeSafetensors>[1],
): Promise<void> {
  await writeFileAtomically(path, writeSafetensors(tensors, options));
}

function readRange(path: string, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(file, bytes, done, bytes.length - done, begin + done);
      if (read === 0) throw new Error('it became shorter while it was read');
      done += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
