import type { Strided } from '../kernels.ts';
import { type DeviceCopy, Storage } from '../storage.ts';
import { sizeOf } from '../strided.ts';
import { BLOCK_FORMATS, type BlockFormat } from './formats.ts';

/**
 * Formats whose blocks of whole numbers the engines multiply and look up directly. The other formats have single numbers, which
 * become float32 when they are read.
 */
export const PRODUCT_FORMATS: readonly BlockFormat[] = [...BLOCK_FORMATS.values()].filter(
  ({ scales }) => scales !== undefined,
);
/** The engines take numbers by so many: a block, or an eighth of one of 256. */
export const BLOCK = 32;
/** At most this many rows are multiplied as whole numbers, block by block; more as float32, with the blocks decoded. */
export const FEW_ROWS = 2;

/**
 * A matrix [rows, columns] whose numbers stay in the blocks of few bits in which a file has them (formats.ts). To a
 * storage it is a copy that lives elsewhere: kernels that know blocks (those of a linear layer and of an embedding) read
 * them as they are. For any other the numbers are decoded once, and what is written in place is float32 from then on.
 * So nothing above the kernels has to know.
 */
export class StoredBlocks implements DeviceCopy {
  readonly backend = 'blocks';
  readonly format: BlockFormat;
  readonly columns: number;
  /** The blocks, row after row: bytes in a storage, so that they can lie in an engine's own memory. */
  readonly bytes: Storage;

  /** @throws RangeError unless the format is one of PRODUCT_FORMATS and each row a whole number of blocks */
  constructor(format: BlockFormat, columns: number, bytes: Storage) {
    if (!PRODUCT_FORMATS.includes(format)) throw new RangeError(`${format.name} is not multiplied in blocks`);
    if (columns % format.numbers !== 0 || bytes.length % ((columns / format.numbers) * format.bytes) !== 0) {
      throw new RangeError(`rows of ${columns} numbers are no whole blocks of ${format.numbers}`);
    }
    this.format = format;
    this.columns = columns;
    this.bytes = bytes;
  }

  /** Bytes of a row. */
  get rowBytes(): number {
    return (this.columns / this.format.numbers) * this.format.bytes;
  }

  get rows(): number {
    return this.bytes.length / this.rowBytes;
  }

  read(): Float32Array {
    const out = Storage.empty('float32', this.rows * this.columns).data as Float32Array;
    for (let row = 0; row < this.rows; row++) this.readRow(row, out, row * this.columns);
    return out;
  }

  /** Decodes a row to out[to …]. */
  readRow(row: number, out: Float32Array, to: number): void {
    const { numbers, bytes, decode } = this.format;
    const { buffer, byteOffset } = this.bytes.data;
    const view = new DataView(buffer, byteOffset + row * this.rowBytes, this.rowBytes);
    for (let i = 0; i * numbers < this.columns; i++) decode(view, i * bytes, out, to + i * numbers);
  }

  /** The memory is the collector's. */
  free(): void {}
}

/** A storage of float32 numbers that are kept as blocks. */
export function storageOfBlocks(blocks: StoredBlocks): Storage {
  return Storage.onDevice('float32', blocks.rows * blocks.columns, blocks);
}

/** The blocks that a storage's numbers are kept in, if they are and nobody has written to it since. */
export function blocksOf(storage: Storage): StoredBlocks | undefined {
  return storage.deviceCopy('blocks') as StoredBlocks | undefined;
}

/**
 * The whole of a matrix kept as blocks, as one operand B [k, n] of a product: its rows may be B's rows, or (a linear
 * layer's weight) B's columns. `undefined` for anything else.
 */
export function wholeMatrixOfBlocks(b: Strided): { blocks: StoredBlocks; byColumns: boolean } | undefined {
  const blocks = blocksOf(b.storage);
  if (!blocks || sizeOf(b.shape) !== b.storage.length) return undefined;
  const [k, n] = b.shape.slice(-2);
  const [step, line] = b.strides.slice(-2);
  if (step === 1 && line === blocks.columns && k === blocks.columns) return { blocks, byColumns: true };
  if (line === 1 && step === blocks.columns && n === blocks.columns) return { blocks, byColumns: false };
  return undefined;
}
