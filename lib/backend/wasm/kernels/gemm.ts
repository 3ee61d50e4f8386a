import { BLOCK, FEW_ROWS } from '../../quantised/storedBlocks.ts';
import type { Engine } from '../engine.ts';
import type { Packed } from '../memory/packCache.ts';
import { MR, Start } from '../protocol.ts';
import { type BlockMatrix, multiplyBlocks, packBlocks } from './blocks.ts';

/** Plans one matrix product: which panels to pack, how to cut C into blocks. The sums are in assembly/gemm.ts. */

/** Longer sums are done in parts: their panels would leave the second-level cache before they are used again. */
const MOST_STEPS = 3072;
/** Rows of a block of C, whose rows of A the thread that has the block packs for itself. */
const BLOCK_ROWS = 21 * MR;
const LEAST_BLOCK_ROWS = 4 * MR;
/** A block's columns are handed out so many panels at a time: few, so that no thread waits long for the last of them. */
const CHUNK_PANELS = 6;
/** Sums of few steps go along the rows of C: so many columns at a time. */
const [FEW_STEPS, LONG_CHUNK_COLUMNS] = [64, 768];
/**
 * B is packed in parts of about this many bytes, unless its panels are kept: for few rows in such that stay in the cache
 * until they are used.
 */
const PANEL_BYTES = 16 * 2 ** 20;
const PANEL_BYTES_OF_FEW = 2 ** 20;
/** Elements packed by one task. */
const PACK_ELEMENTS = 16384;
/** Where B has so few columns, or A so few rows, the other operand is read as it lies: to pack it would take longer than it saves. */
const [FEW_COLUMNS, FEW_ROWS_OF_A] = [128, 3 * MR];
/** Products with fewer multiply-adds stay on the calling thread. */
export const THREADED_WORK = 500_000;

/** An operand's matrix. */
export interface Matrix {
  /** Of its first element. */
  address: number;
  /** Bytes from one row of A, or column of B, to the next. */
  line: number;
  /** Bytes from one k to the next. */
  step: number;
}

/** C [m, n] = A [m, k] · B [k, n], in bytes and addresses. */
export interface Product {
  m: number;
  n: number;
  k: number;
  a: Matrix;
  b: Matrix | BlockMatrix;
  /** C's address and bytes between its rows; its columns lie side by side. */
  c: number;
  rowBytes: number;
  start: number;
  bias: number;
}

/** Is A read as it lies in a product of n columns? 1 for yes. */
export const readsA = (n: number): number => Number(n <= FEW_COLUMNS);

/** Can the rows of B, each in one piece, be read as they lie, and are there so few of A that this is quicker? */
const readsB = (p: Product): p is Product & { b: Matrix } =>
  p.m <= FEW_ROWS_OF_A && !('blocks' in p.b) && p.b.line === 4;

export const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** `keep` says where B's packed panels are kept from call to call, if they are. */
export function multiply(engine: Engine, p: Product, keep?: (bytes: number) => Packed | undefined): void {
  const { b } = p;
  if (p.m > FEW_ROWS) multiplyPanels(engine, p, keep);
  else if ('blocks' in b && b.byColumns && rowsLieInPieces(p)) multiplyBlocks(engine, p, b.blocks);
  else if (!('blocks' in b) && needsNoPanels(p, b)) multiplyFewRows(engine, p, b);
  else multiplyPanels(engine, p, keep);
}

const rowsLieInPieces = ({ m, k, a }: Product) => a.step === 4 && (m === 1 || a.line === 4 * k);

/** Can assembly/gemv.ts read A and B as they lie? Where A has few rows, B's numbers are used too seldom to be packed. */
export const needsNoPanels = (p: Product, b: Matrix) => rowsLieInPieces(p) && (b.step === 4 || b.line === 4);

/** Products of one shape that follow each other at equal distances, in bytes. */
export interface Series {
  count: number;
  nextA: number;
  nextB: number;
  nextC: number;
}

const ALONE: Series = { count: 1, nextA: 0, nextB: 0, nextC: 0 };

/** A product that `needsNoPanels`, or the first of several. */
export function multiplyFewRows(engine: Engine, p: Product, b: Matrix, series = ALONE): void {
  const { m, n, k, c, rowBytes, bias, start } = p;
  const { count, nextA, nextB, nextC } = series;
  const { address, line, step } = b;
  const threaded = count * m * n * k > THREADED_WORK / 4;
  const shares = (4 * engine.threads) / count;
  const perTask = threaded ? Math.max(64, roundUp(n / shares, 16)) : n;
  const tasksEach = Math.ceil(n / perTask);
  const args = {
    tasksEach,
    nextA,
    nextB,
    nextC,
    m,
    n,
    k,
    a: p.a.address,
    b: address,
    c,
    rowBytes,
    bias,
    start,
    columnsPerTask: perTask,
    line,
    step,
  };
  engine.run(step === 4 ? 'gemvDots' : 'gemvRows', args, count * tasksEach, threaded);
}

function multiplyPanels(engine: Engine, p: Product, keep?: (bytes: number) => Packed | undefined): void {
  const { n, k } = p;
  const width = engine.panelColumns;
  const threaded = p.m * n * k > THREADED_WORK;
  const evenSteps = Math.ceil(k / Math.max(1, Math.ceil(k / MOST_STEPS)));
  const inBlocks = 'blocks' in p.b;
  const steps = inBlocks ? roundUp(evenSteps, BLOCK) : evenSteps;
  const blocks = blocksOf(engine, p, steps, threaded);
  // Last: where memory is short, taking some gives up the panels that are kept.
  const kept = readsB(p) ? undefined : keep?.(roundUp(n, width) * k * 4);
  const columns = kept || readsB(p) ? n : columnsPacked(p, steps, inBlocks ? BLOCK : width);
  for (let column = 0; column < n; column += columns) {
    let done = 0;
    do {
      const part = partOf(p, column, Math.min(columns, n - column), done, Math.min(steps, k - done));
      let panels: Panels;
      if (readsB(part)) {
        panels = { at: part.b.address, panel: 4 * width, step: part.b.step };
      } else {
        const at = kept
          ? kept.address + 4 * roundUp(n, width) * done
          : engine.panels.reserve(4 * roundUp(part.n, width) * part.k);
        panels = { at, panel: 4 * width * part.k, step: 4 * width };
        if (!kept?.ready) packB(engine, part, at, threaded);
      }
      multiplyBlocksOfRows(engine, part, panels, blocks);
      done += steps;
    } while (done < k);
  }
}

/** How C is cut into blocks of rows, and where the threads count what they have taken of each. */
interface Blocks {
  rows: number;
  count: number;
  chunkColumns: number;
  /** Threads that begin at different blocks. */
  lanes: number;
  counters: number;
}

function blocksOf(engine: Engine, { m, n, k }: Product, steps: number, threaded: boolean): Blocks {
  const lanes = threaded ? engine.threads : 1;
  const chunkColumns = k <= FEW_STEPS ? LONG_CHUNK_COLUMNS : CHUNK_PANELS * engine.panelColumns;
  const rows = blockRows(m, n, lanes, chunkColumns);
  const count = Math.ceil(m / rows);
  engine.scratch(4 * (MR * engine.panelColumns + rows * steps));
  return { rows, count, chunkColumns, lanes, counters: engine.counters.reserve(4 * count) };
}

/** How many columns of B are packed at a time, so that the panels take little memory. */
function columnsPacked({ m, n }: Product, steps: number, unit: number): number {
  const bytes = m > BLOCK_ROWS ? PANEL_BYTES : PANEL_BYTES_OF_FEW;
  return Math.min(roundUp(n, unit), Math.max(1, Math.floor(bytes / (4 * unit * Math.max(1, steps)))) * unit);
}

/** The product of some columns of B and some steps of k; what steps before have summed up is in C. */
function partOf(whole: Product, column: number, n: number, done: number, k: number): Product {
  const { a, b } = whole;
  return {
    ...whole,
    n,
    k,
    a: { ...a, address: a.address + done * a.step },
    b:
      'blocks' in b
        ? { ...b, column, step: done }
        : { ...b, address: b.address + column * b.line + done * b.step },
    c: whole.c + 4 * column,
    bias: whole.bias + 4 * column,
    start: done === 0 ? whole.start : Start.add,
  };
}

function packB(engine: Engine, { n, k, b }: Product, panels: number, threaded: boolean): void {
  if ('blocks' in b) {
    packBlocks(engine, b, { n, k }, panels, PACK_ELEMENTS, threaded);
    return;
  }
  // A multiple of sixteen columns, which are whole cache lines.
  const width = engine.panelColumns;
  const perTask = roundUp(Math.ceil(PACK_ELEMENTS / (width * Math.max(1, k))), 16 / width);
  const args = { panelsPerTask: perTask, k, b: b.address, line: b.line, step: b.step, n, panels };
  engine.run('pack', args, Math.ceil(n / (width * perTask)), threaded);
}

function multiplyBlocksOfRows(engine: Engine, p: Product, panels: Panels, blocks: Blocks): void {
  const { rows, count, chunkColumns, lanes, counters } = blocks;
  new Int32Array(engine.memory.buffer(), counters, count).fill(0);
  const { m, n, k, a, c, rowBytes, bias, start } = p;
  const args = {
    m,
    n,
    k,
    a: a.address,
    lineA: a.line,
    stepA: a.step,
    readsA: readsA(n),
    panelsB: panels.at,
    panelB: panels.panel,
    stepB: panels.step,
    c,
    rowBytes,
    bias,
    start,
    blockRows: rows,
    blocks: count,
    chunkColumns,
    lanes,
    counters,
  };
  engine.run('gemm', args, lanes, lanes > 1);
}

/** Where B's panels are: the first one, the bytes from one to the next, and from one row of a panel to the next. */
interface Panels {
  at: number;
  panel: number;
  step: number;
}

/** Rows of a block: fewer than would be best where some threads would otherwise have nothing to do. */
function blockRows(m: number, n: number, lanes: number, chunkColumns: number): number {
  const chunks = Math.ceil(n / chunkColumns);
  let blocks = Math.ceil(m / BLOCK_ROWS);
  // As many for each thread: one that two threads share has its rows packed twice.
  if (lanes > 1) blocks = roundUp(blocks, lanes);
  while (lanes > 1 && blocks * chunks < 6 * lanes && m / (blocks + lanes) > LEAST_BLOCK_ROWS) blocks += lanes;
  return roundUp(m / blocks, MR);
}
