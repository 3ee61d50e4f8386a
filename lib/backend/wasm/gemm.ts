import { isContiguous, sizeOf } from '../js/strided.ts';
import type { Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { type Engine, Kind } from './engine.ts';

/** Plans the matrix product: which panels to pack, how to cut C into blocks. The sums are in assembly/gemm.ts. */

/** Panel widths, as in assembly/pack.ts. */
const MR = 6;
const NR = 8;
/** A block of C: its panels of A and B fit the second-level cache together, KC steps long. Multiples of MR and NR. */
const BLOCK_ROWS = 24 * MR;
const BLOCK_COLUMNS = 24 * NR;
/** Panels of one operand take at most about so many bytes at a time. */
const PANEL_BYTES = 16 * 2 ** 20;
/** Elements packed by one task. */
const PACK_ELEMENTS = 65536;
/** Products with fewer multiply-adds stay on the calling thread. */
const THREADED_WORK = 500_000;
/** A small product's panels are packed by the thread that needs them, into at most so many bytes. */
const SMALL_BYTES = 2 ** 20;
/** How a sum begins, as in assembly/gemm.ts. */
const ZERO = 0;
const ADD = 1;
const BIAS = 2;

/** An operand's matrix: address of its first element, bytes between lines and between steps along the inner size. */
interface Matrix {
  address: number;
  /** Bytes from one row of A, or column of B, to the next. */
  line: number;
  /** Bytes from one k to the next. */
  step: number;
}

interface Product {
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

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Memory for the panels of a product: large operands are done in parts, so that packing costs little memory. */
interface Panels {
  a: number;
  b: number;
  /** Rows of A and columns of B packed at a time. */
  rows: number;
  columns: number;
}

function borrowPanels(engine: Engine, m: number, n: number, k: number): Panels {
  engine.scratch(4 * MR * NR);
  const most = Math.max(BLOCK_ROWS, Math.floor(PANEL_BYTES / (4 * Math.max(1, k) * 48)) * 48);
  const rows = Math.min(roundUp(m, MR), most);
  const columns = Math.min(roundUp(n, NR), most);
  return { a: engine.borrow(rows * k * 4), b: engine.borrow(columns * k * 4), rows, columns };
}

/** C = A · B for one pair of matrices: packs panels of both and runs the blocks, part by part. */
function multiply(engine: Engine, whole: Product, panels: Panels): void {
  const threaded = whole.m * whole.n * whole.k > THREADED_WORK;
  for (let row = 0; row < whole.m; row += panels.rows) {
    for (let column = 0; column < whole.n; column += panels.columns) {
      const part = partOf(whole, row, column, panels);
      // The rows of A stay packed while the columns of B pass by.
      pack(engine, part, panels, column === 0, threaded);
      runBlocks(engine, part, panels, threaded);
    }
  }
}

function partOf(whole: Product, row: number, column: number, panels: Panels): Product {
  return {
    ...whole,
    m: Math.min(panels.rows, whole.m - row),
    n: Math.min(panels.columns, whole.n - column),
    a: { ...whole.a, address: whole.a.address + row * whole.a.line },
    b: { ...whole.b, address: whole.b.address + column * whole.b.line },
    c: whole.c + row * whole.rowBytes + 4 * column,
    bias: whole.bias + 4 * column,
  };
}

function pack(engine: Engine, p: Product, to: Panels, withA: boolean, threaded: boolean): void {
  // An even number of panels, since two panels of B together are whole cache lines.
  const panels = roundUp(Math.ceil(PACK_ELEMENTS / (NR * Math.max(1, p.k))), 2);
  const tasksA = withA ? Math.ceil(p.m / (MR * panels)) : 0;
  const tasksB = Math.ceil(p.n / (NR * panels));
  engine.integers.set([tasksA, panels, p.k, p.a.address, p.a.line, p.a.step, p.m, to.a]);
  engine.integers.set([p.b.address, p.b.line, p.b.step, p.n, to.b], 8);
  engine.run(Kind.pack, tasksA + tasksB, threaded);
}

function runBlocks(engine: Engine, p: Product, panels: Panels, threaded: boolean): void {
  const [rows, columns] = blockSize(p.m, p.n, threaded ? engine.threads : 1);
  const down = Math.ceil(p.m / rows);
  const across = Math.ceil(p.n / columns);
  engine.integers.set([
    p.m,
    p.n,
    p.k,
    panels.a,
    panels.b,
    p.c,
    p.rowBytes,
    p.bias,
    p.start,
    rows,
    columns,
    down,
  ]);
  engine.run(Kind.gemm, down * across, threaded);
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

/** Views' leading dimensions folded into the rows of A where B is the same for all of them: one large product. */
function foldRows(a: Strided, b: Strided): { m: number; line: number } | undefined {
  const batch = a.shape.length - 2;
  let m = a.shape[batch];
  let line = a.strides[batch];
  for (let axis = batch - 1; axis >= 0; axis--) {
    const length = a.shape[axis];
    if (length === 1) continue;
    if (b.strides[axis] !== 0) return undefined;
    if (m === 1) line = a.strides[axis];
    else if (a.strides[axis] !== line * m) return undefined;
    m *= length;
  }
  return { m, line };
}

/** `a [..., m, k] · b [..., k, n] (+ bias [n])`: see Kernels. */
export function matmul(engine: Engine, a: Strided, b: Strided, bias?: Strided): Storage | undefined {
  if (a.storage.dtype !== 'float32' || (bias && !isContiguous(bias))) return undefined;
  const rank = a.shape.length;
  const k = a.shape[rank - 1];
  const n = b.shape[rank - 1];
  const size = sizeOf(a.shape.slice(0, -1)) * n;
  const out = engine.empty(size);
  if (size === 0) return out;
  const folded = foldRows(a, b);
  const m = folded?.m ?? a.shape[rank - 2];
  const product: Product = {
    m,
    n,
    k,
    a: { address: 0, line: 4 * (folded?.line ?? a.strides[rank - 2]), step: 4 * a.strides[rank - 1] },
    b: { address: 0, line: 4 * b.strides[rank - 1], step: 4 * b.strides[rank - 2] },
    c: 0,
    rowBytes: 4 * n,
    start: bias ? BIAS : ZERO,
    bias: 0,
  };
  if (folded) {
    const panels = borrowPanels(engine, m, n, k);
    locate(engine, product, a, b, bias);
    product.c = engine.target(out);
    multiply(engine, product, panels);
  } else {
    multiplyBatch(engine, product, a, b, bias, out);
  }
  return out;
}

function locate(engine: Engine, product: Product, a: Strided, b: Strided, bias?: Strided): void {
  product.a.address = engine.address(a);
  product.b.address = engine.address(b);
  product.bias = bias ? engine.address(bias) : 0;
}

/** One product for each index of the leading dimensions. */
function multiplyBatch(
  engine: Engine,
  p: Product,
  a: Strided,
  b: Strided,
  bias: Strided | undefined,
  out: Storage,
): void {
  const { m, n, k } = p;
  const batch = a.shape.slice(0, -2);
  const count = sizeOf(batch);
  const threaded = count * m * n * k > THREADED_WORK;
  // Few products: each is cut into rows, so that every thread has some.
  const wanted = threaded && count < 4 * engine.threads ? Math.ceil((4 * engine.threads) / count) : 1;
  let rows = Math.max(MR, roundUp(Math.ceil(m / wanted), MR));
  const bytes = (height: number) => 4 * (MR * NR + (height + roundUp(n, NR)) * k);
  while (rows > 8 * MR && bytes(rows) > SMALL_BYTES) rows = roundUp(rows / 2, MR);
  const small = bytes(rows) <= SMALL_BYTES;
  if (small) engine.scratch(bytes(rows));
  const table = engine.borrow(count * 12);
  const panels = small ? undefined : borrowPanels(engine, m, n, k);
  locate(engine, p, a, b, bias);
  const c = engine.target(out);
  const offsetsA = batchOffsets(batch, a.strides);
  const offsetsB = batchOffsets(batch, b.strides);
  if (panels) {
    const [startA, startB] = [p.a.address, p.b.address];
    for (let i = 0; i < count; i++) {
      p.a.address = startA + 4 * offsetsA[i];
      p.b.address = startB + 4 * offsetsB[i];
      p.c = c + i * m * p.rowBytes;
      multiply(engine, p, panels);
    }
    return;
  }
  const entries = new Int32Array(engine.memory.buffer(), table, count * 3);
  for (let i = 0; i < count; i++) {
    entries[3 * i] = p.a.address + 4 * offsetsA[i];
    entries[3 * i + 1] = p.b.address + 4 * offsetsB[i];
    entries[3 * i + 2] = c + i * m * p.rowBytes;
  }
  const blocks = Math.ceil(m / rows);
  engine.integers.set([m, n, k, rows, blocks, p.rowBytes, table, p.bias, p.a.line, p.a.step]);
  engine.integers.set([p.b.line, p.b.step, p.start], 10);
  engine.run(Kind.gemmBatch, count * blocks, threaded);
}

/** Where each matrix begins, in elements, in row-major order of the leading dimensions. */
function batchOffsets(batch: readonly number[], strides: readonly number[]): number[] {
  let offsets = [0];
  for (let axis = 0; axis < batch.length; axis++) {
    const next: number[] = [];
    for (const offset of offsets) {
      for (let i = 0; i < batch[axis]; i++) next.push(offset + i * strides[axis]);
    }
    offsets = next;
  }
  return offsets;
}

/** `target [m, n] += a [m, k] · b [k, n]`: see Kernels. */
export function matmulInto(engine: Engine, target: Strided, a: Strided, b: Strided): true | undefined {
  const [m, n] = target.shape;
  const k = a.shape[1];
  if (m === 0 || n === 0 || k === 0) return true;
  // A target that lies transposed: its transpose is Bᵀ · Aᵀ.
  if (target.strides[1] !== 1 && target.strides[0] === 1) {
    return matmulInto(engine, transposed(target), transposed(b), transposed(a));
  }
  if (target.strides[1] !== 1 && n !== 1) return undefined;
  const panels = borrowPanels(engine, m, n, k);
  const product: Product = {
    m,
    n,
    k,
    a: { address: engine.address(a), line: 4 * a.strides[0], step: 4 * a.strides[1] },
    b: { address: engine.address(b), line: 4 * b.strides[1], step: 4 * b.strides[0] },
    c: engine.targetView(target),
    rowBytes: 4 * target.strides[0],
    start: ADD,
    bias: 0,
  };
  multiply(engine, product, panels);
  return true;
}

function transposed(x: Strided): Strided {
  // Field by field: those of a Tensor are getters, which `...x` leaves out.
  const { storage, offset } = x;
  return { storage, offset, shape: [x.shape[1], x.shape[0]], strides: [x.strides[1], x.strides[0]] };
}
