import { checkOptions, checkText, checkWord, inWords, noMore } from '../arguments.ts';
import { Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { storageFrom } from '../tensor/create.ts';
import { requireState } from '../tensor/requireTensors.ts';
import { Tensor } from '../tensor/tensor.ts';
import { requireFinite } from './finite.ts';
import type { SafetensorsFile, StoredTensor } from './safetensors.ts';
import { openWeights, saveSafetensors } from './safetensors-file.ts';
import type { WriteOptions } from './safetensors-write.ts';

/** Tensors by name in a safetensors file: a model's state, an optimiser's, an adapter. */

/**
 * Reads every tensor of a file; floats of 16 and 64 bits become float32, whole numbers int32. A tensor of a type that
 * cannot be read is an error only when its numbers are asked for.
 *
 * @param path a safetensors file, the index of several, or a folder with one of the two
 * @param what what the file is to the user, for messages
 * @throws UserError if it is missing or damaged
 */
export function loadTensors(path: string, what = 'the weights', ...more: []): Record<string, Tensor> {
  noMore('loadTensors', 2, more);
  checkText(path, 'the path', 'loadTensors');
  const file = openWeights(path, what);
  try {
    return tensorsOf(file, (stored) => {
      try {
        return storageFrom(stored.data, dtypeOf(stored));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return unreadable(stored, error);
      }
    });
  } finally {
    file.close();
  }
}

/**
 * Hands all tensors of a file to `use`, which may read them until it returns: a tensor's numbers stay in the file until
 * they are needed, and `loadStateDict` gives their memory back one by one. For weights that fill a model.
 *
 * @throws UserError if the file is missing or damaged, or a tensor that is needed has a number that is not finite
 */
export function withTensors<T>(
  path: string,
  what: string,
  use: (tensors: Record<string, Tensor>) => T,
  ...more: []
): T {
  noMore('withTensors', 3, more);
  checkText(path, 'the path', 'withTensors');
  if (typeof use !== 'function') throw new UserError(`withTensors: use is a function, not ${inWords(use)}`);
  const file = openWeights(path, what);
  try {
    return use(lazyTensors(file, path));
  } finally {
    file.close();
  }
}

/** The tensors of an opened file, whose numbers are read when they are needed. */
export function lazyTensors(file: SafetensorsFile, path: string): Record<string, Tensor> {
  return tensorsOf(file, (stored, name) => {
    const isBool = dtypeOf(stored) === 'bool';
    const check = (data: ArrayLike<number>) => requireFinite(data, `tensor '${name}' of ${path}`);
    return Storage.onDevice(dtypeOf(stored), sizeOf(stored), {
      backend: 'file',
      read() {
        const { data } = stored;
        check(data);
        return isBool ? Uint8Array.from(data, (value) => (value ? 1 : 0)) : data;
      },
      readInto: isBool
        ? undefined
        : (target) => {
            stored.readInto(target as Float32Array | Int32Array);
            check(target);
          },
      free: () => undefined,
    });
  });
}

function tensorsOf(
  file: SafetensorsFile,
  storageOf: (stored: StoredTensor, name: string) => Storage,
): Record<string, Tensor> {
  return Object.fromEntries(
    Array.from(file, ([name, stored]) => [name, Tensor.of(storageOf(stored, name), stored.shape)]),
  );
}

function unreadable(stored: StoredTensor, error: UserError): Storage {
  return Storage.onDevice(dtypeOf(stored), sizeOf(stored), {
    backend: 'file',
    read() {
      throw error;
    },
    free: () => undefined,
  });
}

function dtypeOf({ dtype }: StoredTensor): 'float32' | 'int32' | 'bool' {
  if (dtype === 'BOOL') return 'bool';
  return /^B?F/.test(dtype) ? 'float32' : 'int32';
}

function sizeOf({ shape }: StoredTensor): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** How tensors are written. */
export interface SaveOptions extends WriteOptions {
  /** Texts that belong to the file, such as its model's `config.json`, by the names that they get in its folder. */
  beside?: Record<string, string>;
}

/**
 * Writes tensors by name as one safetensors file, beside its place and then renamed: an old file stays whole until
 * then. The files `beside` it are replaced together with it.
 * @throws UserError if the place cannot be written, or a number is too large for F16
 */
export async function saveTensors(
  path: string,
  tensors: Record<string, Tensor>,
  options: SaveOptions = {},
  ...more: []
): Promise<void> {
  noMore('saveTensors', 3, more);
  checkText(path, 'the path', 'saveTensors');
  requireState(tensors, 'saveTensors');
  checkOptions('saveTensors', options, ['metadata', 'dtype', 'beside']);
  checkWord(options.dtype ?? 'F32', ['F32', 'F16'], 'dtype', 'saveTensors');
  requireTexts(options.metadata ?? {}, 'metadata');
  requireTexts(options.beside ?? {}, 'beside');
  const entries = Object.entries(tensors).map(([name, tensor]) => [name, numbersOf(tensor)] as const);
  await saveSafetensors(path, entries, options);
}

/** @throws UserError unless it is an object of texts */
function requireTexts(texts: Record<string, string>, what: string): void {
  const isObject = typeof texts === 'object' && texts !== null && !Array.isArray(texts);
  if (!isObject) throw new UserError(`saveTensors: ${what} is texts by name, not ${inWords(texts)}`);
  for (const [name, text] of Object.entries(texts)) checkText(text, `${what}'s ${name}`, 'saveTensors');
}

/** A tensor's numbers to store. A view's are copied: the memory of a temporary soon belongs to the next one. */
export function numbersOf(tensor: Tensor): {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint8Array;
} {
  const x = tensor.detach().contiguous();
  const data = x.storage.data.subarray(x.offset, x.offset + x.size);
  return { shape: x.shape, data: x.storage === tensor.storage ? data : data.slice() };
}
