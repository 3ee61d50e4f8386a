import { PRODUCT_FORMATS, StoredBlocks, storageOfBlocks } from '../backend/quantised/storedBlocks.ts';
import { Storage } from '../backend/storage.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { GgufTensor } from './gguf.ts';

/** Can a file's matrix be kept as it is stored? Those that cannot are decoded to float32. */
export function canStayQuantised({ format, shape }: GgufTensor): boolean {
  return shape.length === 2 && PRODUCT_FORMATS.includes(format?.name ?? '');
}

/**
 * A file's matrix [rows, columns] as a tensor whose numbers stay in their blocks. To its user it is float32; a
 * linear layer and an embedding read the blocks as they are, and need no copy in float32.
 *
 * @param reorder puts the rows, given as bytes [rows, bytes of a row], in another order
 */
export function quantisedTensor(
  { format, shape, byteLength, readInto }: GgufTensor,
  reorder?: (rows: Tensor) => Tensor,
): Tensor {
  const [rows, columns] = shape;
  const stored = Storage.empty('bool', byteLength);
  readInto(stored.data as Uint8Array);
  const bytes = reorder ? reorder(Tensor.of(stored, [rows, byteLength / rows])).contiguous().storage : stored;
  return Tensor.of(storageOfBlocks(new StoredBlocks(format!, columns, bytes)), shape);
}
