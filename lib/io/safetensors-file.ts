/**
 * Safetensors on disk. Only the headers are read at once; a tensor's numbers are read from the file when its
 * `data` is asked for, so a model larger than memory's comfort, or than Node's 2 GiB limit for one read,
 * loads tensor by tensor.
 */

import { firstFew } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { folderOf, kindOfPath, nameOf, openFile, pathIn, readTogether, replaceTogether } from './files.ts';
import { readJson } from './json.ts';
import { readSafetensorsFrom, SafetensorsFile } from './safetensors.ts';
import { safetensorsPieces, type TensorToStore, type WriteOptions } from './safetensors-write.ts';

/**
 * Opens a safetensors file: checks its header and sizes, reads no numbers yet. `close()` when it is no longer needed.
 *
 * @param what what the file is to the user, e.g. `the adapter`
 * @throws UserError if it is missing or does not hold together; `data` throws if it has become shorter meanwhile
 */
export function openSafetensors(path: string, what = 'the weights'): SafetensorsFile {
  const file = readTogether(path, () => openFile(path, what));
  try {
    return readSafetensorsFrom(file.read, file.size, path, file.close);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The name that Hugging Face's libraries give to a model's weights, and to the list of their parts. */
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * Opens a model's weights wherever they are: a safetensors file, the index of a model in several files
 * (`model.safetensors.index.json`), or a folder that holds one or the other.
 *
 * @throws UserError if they are missing or do not hold together
 */
export function openWeights(path: string, what = 'the weights'): SafetensorsFile {
  if (kindOfPath(path) !== 'folder') {
    return path.endsWith('.index.json') ? openShards(path, what) : openSafetensors(path, what);
  }
  // In this order, as transformers: an index that an older model has left beside a newer file is not believed.
  const [weights, index] = [WEIGHTS, INDEX].map((name) => pathIn(path, name));
  if (readTogether(weights, () => kindOfPath(weights)) === 'file') return openSafetensors(weights, what);
  if (kindOfPath(index) === 'file') return openShards(index, what);
  const pickle = kindOfPath(pathIn(path, 'pytorch_model.bin')) === 'file';
  throw new UserError(
    `cannot read ${what}: the folder ${path} has no ${WEIGHTS}` +
      (pickle
        ? ", only PyTorch's pickle: save it with model.save_pretrained(folder) of transformers 4.35 or later"
        : ''),
  );
}

/** All parts that an index names, as one. */
function openShards(path: string, what: string): SafetensorsFile {
  const fault = (problem: string) =>
    new UserError(`${path} is not the index of a model in several files: ${problem}`);
  const index = readJson(path, what) as { weight_map?: unknown };
  const places = Object.entries(index.weight_map ?? {});
  if (places.length === 0) throw fault('it has no weight_map');
  const parts = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const part of parts.values()) part.close();
  };
  const all = new SafetensorsFile({}, close);
  try {
    for (const [tensor, file] of places) {
      if (typeof file !== 'string' || /[\\/]/.test(file))
        throw fault(`tensor '${tensor}' is not in a proper file`);
      if (!parts.has(file)) parts.set(file, openSafetensors(pathIn(folderOf(path), file), what));
      const stored = parts.get(file)!.get(tensor);
      if (!stored)
        throw fault(`${file} has no tensor '${tensor}'; it has ${firstFew([...parts.get(file)!.keys()])}`);
      all.set(tensor, stored);
    }
  } catch (error) {
    close();
    throw error;
  }
  return all;
}

/**
 * Writes the tensors as one safetensors file, and `beside` it, by name, the files that belong to it: all are replaced as one.
 * The index of a model in several files that had its name is removed with the old file.
 */
export async function saveSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorToStore]>,
  { beside = {}, ...options }: WriteOptions & { beside?: Record<string, string> } = {},
): Promise<void> {
  const name = nameOf(path);
  await replaceTogether(folderOf(path), {
    [name]: safetensorsPieces(tensors, options),
    ...beside,
    [`${name}.index.json`]: null,
  });
}
