import { type Engine, Kind } from './engine.ts';
import type { Packed } from './packCache.ts';

/** Plans one matrix product: which panels to pack, how to cut C into blocks. The sums are in assembly/gemm.ts. */

/** Panel widths, as in assembly/pack.ts. */
export const MR = 6;
export const NR = 8;
/** A block of C: its panels of A and B fit the second-level cache together, KC steps long. Multiples of MR and NR. */
const BLOCK_ROWS = 24 * MR;
const BLOCK_COLUMNS = 24 * NR;
/** Panels of one operand take at most about so many bytes at a time. */
const PANEL_BYTES = 16 * 2 ** 20;
/** Elements packed by one task. */
const PACK_ELEMENTS = 65536;
/** Products with fewer multiply-adds stay on the calling thread. */
export const THREADED_WORK = 500_000;
/** With so few rows, B's numbers are used too seldom to be packed (assembly/gemv.ts). */
const FEW_ROWS = 2;

/** How a sum begins, as in assembly/gemm.ts: with zero, with what is in C, or with the bias. */
export const ZERO = 0;
export const ADD = 1;
export const BIAS = 2;

/** An operand's matrix. */
interface Matrix {
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
  b: Matrix;
  /** C's address and bytes between its rows; its columns lie side by side. */
  c: number;
  rowBytes: number;
  start: number;
  bias: number;
}

export const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** `keep` says where B's packed panels are kept from call to call, if they are. */
export function multiply(engine: Engine, p: Product, keep?: (bytes: number) => Packed | undefined): void {
  const rowsLieInPieces = p.a.step === 4 && (p.m === 1 || p.a.line === 4 * p.k);
  if (p.m <= FEW_ROWS && rowsLieInPieces && (p.b.step === 4 || p.b.line === 4)) multiplyFewRows(engine, p);
  else multiplyPanels(engine, p, keep);
}

function multiplyFewRows(engine: Engine, p: Product): void {
  const threaded = p.n * p.k > THREADED_WORK / 4;
  const perTask = threaded ? Math.max(64, roundUp(p.n / (4 * engine.threads), 16)) : p.n;
  const { integers } = engine;
  integers.set([p.m, p.n, p.k, p.a.address, p.b.address, p.c, p.rowBytes, p.bias, p.start, perTask]);
  integers.set([p.b.line, p.b.step], 10);
  engine.run(p.b.step === 4 ? Kind.gemvDots : Kind.gemvRows, Math.ceil(p.n / perTask), threaded);
}

/** Large operands are packed in parts, so that panels take little memory: so many lines of `k` at a time. */
function linesPacked(lines: number, width: number, k: number): number {
  const most = Math.max(BLOCK_ROWS, Math.floor(PANEL_BYTES / (4 * Math.max(1, k) * 48)) * 48);
  return Math.min(roundUp(lines, width), most);
}

function multiplyPanels(engine: Engine, p: Product, keep?: (bytes: number) => Packed | undefined): void {
  const { m, n, k } = p;
  const threaded = m * n * k > THREADED_WORK;
  engine.scratch(4 * MR * NR);
  const { mark } = engine;
  const rows = linesPacked(m, MR, k);
  const panelsA = engine.borrow(rows * k * 4);
  const kept = keep?.(roundUp(n, NR) * k * 4);
  const columns = kept ? n : linesPacked(n, NR, k);
  const panelsB = kept?.address ?? engine.borrow(columns * k * 4);
  for (let row = 0; row < m; row += rows) {
    for (let column = 0; column < n; column += columns) {
      const part = partOf(p, row, column, Math.min(rows, m - row), Math.min(columns, n - column));
      // The rows of A stay packed while the columns of B pass by, and B if it is there in one part.
      const packA = column === 0;
      const packB = kept ? !kept.ready && row === 0 : columns < n || row === 0;
      pack(engine, part, packA ? panelsA : 0, packB ? panelsB : 0, threaded);
      runBlocks(engine, part, panelsA, panelsB, threaded);
    }
  }
  engine.giveBack(mark);
}

function partOf(whole: Product, row: number, column: number, m: number, n: number): Product {
  return {
    ...{ m, n, k: whole.k, rowBytes: whole.rowBytes, start: whole.start },
    a: { ...whole.a, address: whole.a.address + row * whole.a.line },
    b: { ...whole.b, address: whole.b.address + column * whole.b.line },
    c: whole.c + row * whole.rowBytes + 4 * column,
    bias: whole.bias + 4 * column,
  };
}

/** Packs A and B to these addresses; 0: it is packed already. */
function pack(engine: Engine, p: Product, toA: number, toB: number, threaded: boolean): void {
  // An even number of panels, since two panels of B together are whole cache lines.
  const panels = roundUp(Math.ceil(PACK_ELEMENTS / (NR * Math.max(1, p.k))), 2);
  const tasksA = toA ? Math.ceil(p.m / (MR * panels)) : 0;
  const tasksB = toB ? Math.ceil(p.n / (NR * panels)) : 0;
  engine.integers.set([tasksA, panels, p.k, p.a.address, p.a.line, p.a.step, p.m, toA]);
  engine.integers.set([p.b.address, p.b.line, p.b.step, p.n, toB], 8);
  engine.run(Kind.pack, tasksA + tasksB, threaded);
}

function runBlocks(engine: Engine, p: Product, panelsA: number, panelsB: number, threaded: boolean): void {
  const [rows, columns] = blockSize(p.m, p.n, threaded ? engine.threads : 1);
  const down = Math.ceil(p.m / rows);
  engine.integers.set([p.m, p.n, p.k, panelsA, panelsB, p.c, p.rowBytes, p.bias, p.start]);
  engine.integers.set([rows, columns, down], 9);
  engine.run(Kind.gemm, down * Math.ceil(p.n / columns), threaded);
}

/** Blocks as large as the cache allows, smaller where the threads would otherwise wait for each other. */
function blockSize(m: number, n: number, threads: number): [number, number] {
  let rows = Math.min(BLOCK_ROWS, roundUp(m, MR));
  let columns = Math.min(BLOCK_COLUMNS, roundUp(n, NR));
  while (threads > 1 && Math.ceil(m / rows) * Math.ceil(n / columns) < 6 * threads) {
    if (columns > 4 * NR) columns = roundUp(columns / 2, NR);
    else if (rows > 4 * MR) rows = roundUp(rows / 2, MR);
    else break;
  }
  return [rows, columns];
}
