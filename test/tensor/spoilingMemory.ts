import type { Allocator, TypedArray } from '../../lib/backend/storage.ts';

const NEW = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array };

/** An allocator for tests: what is read after its memory was given back is nonsense. */
export const spoilingMemory: Allocator = {
  allocate: (dtype, length) => new NEW[dtype](length),
  release: (array: TypedArray) => void array.fill(array instanceof Float32Array ? Number.NaN : 77),
};
