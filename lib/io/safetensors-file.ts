/**
 * Safetensors on disk. Only the headers are read at once; a tensor's numbers are read from the file when its
 * `data` is asked for, so a model larger than memory's comfort, or than Node's 2 GiB limit for one read,
 * loads tensor by tensor.
 */

import { firstFew } from '../arguments.ts';
import { UserError } from '../errors.ts';
import {
  folderOf,
  kindOfPath,
  nameOf,
  type OpenFile,
  openFile,
  pathIn,
  readTogether,
  replaceTogether,
} from './files.ts';
import { type Folder, folderOnDisk, nameIn, readJsonIn } from './folder.ts';
import { readSafetensorsFrom, SafetensorsFile } from './safetensors.ts';
import { safetensorsPieces, type TensorToStore, type WriteOptions } from './safetensors-write.ts';

/**
 * Opens a safetensors file: checks its header and sizes, reads no numbers yet. `close()` when it is no longer needed.
 *
 * @param what what the file is to the user, e.g. `the adapter`
 * @throws UserError if it is missing or does not hold together; `data` throws if it has become shorter meanwhile
 */
export function openSafetensors(path: string, what = 'the weights'): SafetensorsFile {
  return readOpened(
    readTogether(path, () => openFile(path, what)),
    path,
  );
}

function readOpened(file: OpenFile, name: string): SafetensorsFile {
  try {
    return readSafetensorsFrom(file.read, file.size, name, file.close);
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
  if (kindOfPath(path) === 'folder')
    return readTogether(pathIn(path, WEIGHTS), () => openWeightsIn(folderOnDisk(path), what));
  if (!path.endsWith('.index.json')) return openSafetensors(path, what);
  const folder = folderOf(path);
  return openShards(folderOnDisk(folder), nameOf(path), what);
}

/** The same for a folder of any kind. */
export function openWeightsIn(folder: Folder, what = 'the weights'): SafetensorsFile {
  // As transformers has it: of an index that was left beside the whole, nothing is read.
  if (folder.has(WEIGHTS)) return readOpened(folder.open(WEIGHTS, what), nameIn(folder, WEIGHTS));
  if (folder.has(INDEX)) return openShards(folder, INDEX, what);
  throw new UserError(
    `cannot read ${what}: the folder ${folder.name} has no ${WEIGHTS}` +
      (folder.has('pytorch_model.bin')
        ? ", only PyTorch's pickle: save it with model.save_pretrained(folder) of transformers 4.35 or later"
        : ''),
  );
}

/** All parts that an index names, as one. */
function openShards(folder: Folder, file: string, what: string): SafetensorsFile {
  const fault = (problem: string) =>
    new UserError(`${nameIn(folder, file)} is not the index of a model in several files: ${problem}`);
  const index = readJsonIn(folder, file, what) as { weight_map?: unknown };
  const places = Object.entries(index.weight_map ?? {});
  if (places.length === 0) throw fault('it has no weight_map');
  const parts = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const part of parts.values()) part.close();
  };
  const all = new SafetensorsFile({}, close);
  try {
    for (const [tensor, part] of places) {
      if (typeof part !== 'string' || /[\\/]/.test(part))
        throw fault(`tensor '${tensor}' is not in a proper file`);
      if (!parts.has(part)) parts.set(part, readOpened(folder.open(part, what), nameIn(folder, part)));
      const stored = parts.get(part)!.get(tensor);
      if (!stored)
        throw fault(`${part} has no tensor '${tensor}'; it has ${firstFew([...parts.get(part)!.keys()])}`);
      all.set(tensor, stored);
    }
    for (const [part, tensors] of parts) {
      const unlisted = [...tensors.keys()].filter((tensor) => !all.has(tensor));
      if (unlisted.length > 0)
        throw fault(`${part} has ${firstFew(unlisted)}, which it does not name: it may be of another model`);
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
