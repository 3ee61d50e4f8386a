import { storageFrom } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { openSafetensors, saveSafetensors } from './safetensors-file.ts';

/** Tensors by name in a safetensors file: a model's state, an optimiser's, an adapter. */

/**
 * Reads every tensor of a file; 16-bit floats become float32.
 * @param what what the file is to the user, for messages
 * @throws UserError if it is missing or damaged
 */
export function loadTensors(path: string, what = 'the weights'): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, stored] of openSafetensors(path, what)) {
    const data = stored.data;
    const dtype = data instanceof Float32Array ? 'float32' : 'int32';
    tensors[name] = Tensor.of(storageFrom(data, dtype), stored.shape);
  }
  return tensors;
}

/** Writes tensors as one file, beside and then renamed: what was there before stays whole until then. */
export async function saveTensors(
  path: string,
  tensors: Record<string, Tensor>,
  options: { metadata?: Record<string, string>; dtype?: 'F32' | 'F16' } = {},
): Promise<void> {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const x = tensor.detach().contiguous();
    const data = x.storage.data.subarray(x.offset, x.offset + x.size) as Float32Array | Int32Array;
    return [name, { shape: x.shape, data }] as const;
  });
  await saveSafetensors(path, entries, options);
}
