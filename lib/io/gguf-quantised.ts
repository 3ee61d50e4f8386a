import { PRODUCT_FORMATS, StoredBlocks, storageOfBlocks } from '../backend/quantised/storedBlocks.ts';
import { Storage } from '../backend/storage.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { GgufTensor } from './gguf.ts';

/** Can a file's matrix be kept as it is stored? Those that cannot are decoded to float32. */
export function canStayQuantised({ format, shape }: GgufTensor): boolean {
  return shape.length === 2 && format !== undefined && PRODUCT_FORMATS.includes(format);
}

/**
 * A file's matrix [rows, columns] as a tensor whose numbers stay in their blocks. To its user it is float32; a
 * linear layer and an embedding read the blocks as they are, and need no copy in float32.
 *
 * @param choose puts the rows, given as bytes [rows, bytes of a row], in another order, or leaves some out
 */
export function quantisedTensor(
  { format, shape, byteLength, readInto }: GgufTensor,
  choose?: (rows: Tensor) => Tensor,
): Tensor {
  const [rows, columns] = shape;
  const stored = Storage.empty('uint8', byteLength);
  readInto(stored.data as Uint8Array);
  if (!choose) return Tensor.of(storageOfBlocks(new StoredBlocks(format!, columns, stored)), shape);
  const chosen = choose(Tensor.of(stored, [rows, byteLength / rows])).contiguous();
  // Rows that are left out go with what they were read into.
  const bytes = chosen.storage.length === chosen.size ? chosen : chosen.clone();
  const blocks = new StoredBlocks(format!, columns, bytes.storage);
  return Tensor.of(storageOfBlocks(blocks), [chosen.shape[0], columns]);
}
