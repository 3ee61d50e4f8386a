import { BLOCK, type StoredBlocks } from '../../quantised/storedBlocks.ts';
import type { Engine } from '../engine.ts';
import { Blocks } from '../protocol.ts';
import type { Product } from './gemm.ts';

/** Jobs on matrices kept in blocks. The loops are in assembly/blocks.ts and blockDots.ts. */

/** Bytes of a rounded block of x. */
const ROUNDED = 80;
/** Smaller matrices stay on the calling thread, in bytes. */
const THREADED_BYTES = 32 * 1024;
/** A thread takes at least this many columns at a time: a few times the distance at which memory is read ahead. */
const LEAST_COLUMNS = 32;

/** B [k, n] of a product: a matrix in blocks, whose rows are B's columns or B's rows, from some column and step on. */
export interface BlockMatrix {
  readonly blocks: StoredBlocks;
  readonly byColumns: boolean;
  readonly column: number;
  readonly step: number;
}

/** Spread at an object's end: Node 20 takes one that is extended behind a spread for an old one, which stays for long. */
const source = (engine: Engine, blocks: StoredBlocks) => ({
  format: Blocks[blocks.format.name.toLowerCase() as keyof typeof Blocks],
  b: engine.addressOf(blocks.bytes),
  lineB: blocks.rowBytes,
});

/** Packs n columns and k rows of B into panels. Both begin at, and k or n ends after, whole blocks. */
export function packBlocks(
  engine: Engine,
  { blocks, byColumns, column, step }: BlockMatrix,
  size: { n: number; k: number },
  panels: number,
  elementsPerTask: number,
  threaded: boolean,
): void {
  const { n, k } = size;
  const width = engine.panelColumns;
  const perTask = Math.ceil(elementsPerTask / (BLOCK * k)) * (BLOCK / width);
  engine.scratch(4 * Math.max(BLOCK, byColumns ? width * k : 0));
  const args = {
    panelsPerTask: perTask,
    ...source(engine, blocks),
    byColumns: byColumns ? 1 : 0,
    firstColumn: column,
    n,
    firstStep: step,
    k,
    panels,
  };
  engine.run('packBlocks', args, Math.ceil(n / (width * perTask)), threaded);
}

/** C [m, n] = A [m, k], row-major, · the rows of `blocks` [n, k]: A is rounded to whole numbers, and whole numbers are multiplied. */
export function multiplyBlocks(
  engine: Engine,
  { m, a, c, rowBytes, start, bias }: Product,
  blocks: StoredBlocks,
): void {
  const [n, k] = [blocks.rows, blocks.columns];
  const x = engine.borrow((m * k * ROUNDED) / BLOCK);
  const apart = blocks.format.name === 'Q8_0' ? 0 : 1;
  engine.run('roundRows', { m, k, x: a.address, out: x, apart }, 1, false);
  const threaded = n * blocks.rowBytes > THREADED_BYTES;
  const share = Math.ceil(n / (4 * engine.threads) / 4) * 4;
  const columnsPerTask = threaded ? Math.max(LEAST_COLUMNS, share) : n;
  const args = { m, n, k, x, c, rowBytes, start, bias, columnsPerTask, ...source(engine, blocks) };
  engine.run('blockDots', args, Math.ceil(n / columnsPerTask), threaded);
}

/** Rows of blocks for int32 ids that lie side by side at `ids`. */
export function embedBlocks(
  engine: Engine,
  blocks: StoredBlocks,
  rows: number,
  ids: number,
  out: number,
): void {
  const args = { rowsPerTask: LEAST_COLUMNS, rows, d: blocks.columns, ...source(engine, blocks), ids, out };
  engine.run('embeddingBlocks', args, Math.ceil(rows / LEAST_COLUMNS), rows > LEAST_COLUMNS);
}
