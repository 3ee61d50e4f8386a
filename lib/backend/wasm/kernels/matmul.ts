import type { Strided } from '../../kernels.ts';
import { wholeMatrixOfBlocks } from '../../quantised/storedBlocks.ts';
import type { Storage } from '../../storage.ts';
import { fold, isContiguous, sizeOf } from '../../strided.ts';
import type { Engine } from '../engine.ts';
import { MR, Start } from '../protocol.ts';
import {
  type Matrix,
  multiply,
  multiplyFewRows,
  needsNoPanels,
  type Product,
  readsA,
  roundUp,
  THREADED_WORK,
} from './gemm.ts';

/** The matrix products of Kernels as products of one pair of matrices (gemm.ts), or of many small ones at once. */

/** A small product's panels are packed by the thread that needs them, into at most this many bytes. */
const SMALL_BYTES = 2 ** 20;
/** Of many products, those with at most this many rows pack nothing: attention's, for one new token of a text. */
const FEW_ROWS_EACH = 4;

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
  const stored = folded && wholeMatrixOfBlocks(b);
  const product = {
    m: folded?.m ?? a.shape[rank - 2],
    n,
    k,
    a: {
      address: engine.address(a),
      line: 4 * (folded?.line ?? a.strides[rank - 2]),
      step: 4 * a.strides[rank - 1],
    },
    c: engine.target(out),
    rowBytes: 4 * n,
    start: bias ? Start.bias : Start.zero,
    bias: bias ? engine.address(bias) : 0,
  };
  if (stored) {
    multiply(engine, { b: { column: 0, step: 0, ...stored }, ...product });
    return out;
  }
  const [line, step] = [b.strides[rank - 1], b.strides[rank - 2]];
  const matrices = { b: { address: engine.address(b), line: 4 * line, step: 4 * step }, ...product };
  if (folded) {
    const layout = [b.offset, line, step, k, n];
    multiply(engine, matrices, (bytes) => engine.packs.find(b.storage, layout, k * n, bytes));
  } else {
    multiplyBatch(engine, matrices, a, b);
  }
  return out;
}

/** One product for each index of the leading dimensions; `p` describes the first. */
function multiplyBatch(engine: Engine, p: Product & { b: Matrix }, a: Strided, b: Strided): void {
  const { m, n, k } = p;
  const batch = a.shape.slice(0, -2);
  const count = sizeOf(batch);
  if (m <= FEW_ROWS_EACH && needsNoPanels(p, p.b)) {
    const { lengths, strides } = fold(batch, [a, b]);
    if (lengths.length === 1) {
      const [[nextA], [nextB]] = strides;
      multiplyFewRows(engine, p, p.b, { count, nextA: 4 * nextA, nextB: 4 * nextB, nextC: m * p.rowBytes });
      return;
    }
  }
  const threaded = count * m * n * k > THREADED_WORK;
  const offsetsA = batchOffsets(batch, a.strides);
  const offsetsB = batchOffsets(batch, b.strides);
  /** The i-th product. */
  const one = (i: number) => ({
    ...p,
    a: { ...p.a, address: p.a.address + 4 * offsetsA[i] },
    b: { ...p.b, address: p.b.address + 4 * offsetsB[i] },
    c: p.c + i * m * p.rowBytes,
  });
  // Few products: each is cut into rows, so that every thread has some.
  const wanted = threaded && count < 4 * engine.threads ? Math.ceil((4 * engine.threads) / count) : 1;
  let rows = Math.max(MR, roundUp(Math.ceil(m / wanted), MR));
  const width = engine.panelColumns;
  const bytes = (height: number) => 4 * (MR * width + (height + roundUp(n, width)) * k);
  while (rows > 8 * MR && bytes(rows) > SMALL_BYTES) rows = roundUp(rows / 2, MR);
  if (bytes(rows) > SMALL_BYTES) {
    for (let i = 0; i < count; i++) multiply(engine, one(i));
    return;
  }
  engine.scratch(bytes(rows));
  const table = engine.borrow(count * 12);
  const entries = new Int32Array(engine.memory.buffer(), table, count * 3);
  for (let i = 0; i < count; i++) {
    entries[3 * i] = p.a.address + 4 * offsetsA[i];
    entries[3 * i + 1] = p.b.address + 4 * offsetsB[i];
    entries[3 * i + 2] = p.c + i * m * p.rowBytes;
  }
  const blocks = Math.ceil(m / rows);
  const args = {
    m,
    n,
    k,
    blockRows: rows,
    blocksDown: blocks,
    rowBytes: p.rowBytes,
    table,
    bias: p.bias,
    lineA: p.a.line,
    stepA: p.a.step,
    lineB: p.b.line,
    stepB: p.b.step,
    start: p.start,
    readsA: readsA(n),
  };
  engine.run('gemmBatch', args, count * blocks, threaded);
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
  multiply(engine, {
    m,
    n,
    k,
    a: { address: engine.address(a), line: 4 * a.strides[0], step: 4 * a.strides[1] },
    b: { address: engine.address(b), line: 4 * b.strides[1], step: 4 * b.strides[0] },
    c: engine.targetView(target),
    rowBytes: 4 * target.strides[0],
    start: Start.add,
    bias: 0,
  });
  return true;
}

function transposed(x: Strided): Strided {
  // Field by field: those of a Tensor are getters, which `...x` leaves out.
  const { storage, offset } = x;
  return { storage, offset, shape: [x.shape[1], x.shape[0]], strides: [x.strides[1], x.strides[0]] };
}
