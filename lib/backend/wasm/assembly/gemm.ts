import { madd } from './simd';
import { scratch } from './job';
import { packColumnsB, packRowsA } from './pack';
import { gemm, gemmBatch, MR, NR, Start } from './protocol';
import { storeLanes } from './rows';

/**
 * The matrix product C [m, n] (+)= A [m, k] · B [k, n] (+ bias [n]) on packed panels (pack.ts), after Goto and
 * van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * The micro-kernel keeps a tile of 6×8 sums in 12 of the 16 vector registers; two more hold a row of B and one a
 * number of A spread over four lanes. Per step of k it does 12 multiply-adds for 8 loads, which is what two
 * 128-bit multiply-adders are kept busy with. The panels stream out of the second-level cache, so k is not cut to fit
 * the first: fewer passes over C are worth more. The loop is not unrolled: V8 would move the loads of all steps to
 * the front and spill the sums to the stack, which costs a quarter to a half of the speed.
 */

/** One 6×8 tile: k steps of panels a and b onto c, whose rows are `ldc` bytes apart. */
function microKernel(k: i32, a: usize, b: usize, c: usize, ldc: usize, start: i32, bias: usize): void {
  let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128;
  let c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128;
  const c1 = c + ldc;
  const c2 = c1 + ldc;
  const c3 = c2 + ldc;
  const c4 = c3 + ldc;
  const c5 = c4 + ldc;
  if (start == Start.add) {
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c10 = v128.load(c1);
    c11 = v128.load(c1, 16);
    c20 = v128.load(c2);
    c21 = v128.load(c2, 16);
    c30 = v128.load(c3);
    c31 = v128.load(c3, 16);
    c40 = v128.load(c4);
    c41 = v128.load(c4, 16);
    c50 = v128.load(c5);
    c51 = v128.load(c5, 16);
  } else {
    let left = f32x4.splat(0);
    let right = left;
    if (start == Start.bias) {
      left = v128.load(bias);
      right = v128.load(bias, 16);
    }
    c00 = c10 = c20 = c30 = c40 = c50 = left;
    c01 = c11 = c21 = c31 = c41 = c51 = right;
  }
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    const a4 = v128.load32_splat(a, 16);
    c40 = madd(a4, b0, c40);
    c41 = madd(a4, b1, c41);
    const a5 = v128.load32_splat(a, 20);
    c50 = madd(a5, b0, c50);
    c51 = madd(a5, b1, c51);
    a += 4 * MR;
    b += 4 * NR;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c1, c10);
  v128.store(c1, c11, 16);
  v128.store(c2, c20);
  v128.store(c2, c21, 16);
  v128.store(c3, c30);
  v128.store(c3, c31, 16);
  v128.store(c4, c40);
  v128.store(c4, c41, 16);
  v128.store(c5, c50);
  v128.store(c5, c51, 16);
}

function copyTile(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    if (columns >= 4) v128.store(to, v128.load(from));
    else storeLanes(to, v128.load(from), columns);
    if (columns == NR) v128.store(to, v128.load(from, 16), 16);
    else if (columns > 4) storeLanes(to + 16, v128.load(from, 16), columns - 4);
    from += fromRow;
    to += toRow;
  }
}

/** A tile that hangs over the edge of C: done in `spare` (6×8), its valid part copied out. */
function edgeTile(
  k: i32, a: usize, b: usize, c: usize, ldc: usize, start: i32, bias: usize, rows: i32, columns: i32, spare: usize,
): void {
  if (start == Start.add) copyTile(c, ldc, spare, 4 * NR, rows, columns);
  microKernel(k, a, b, spare, 4 * NR, start, bias);
  copyTile(spare, 4 * NR, c, ldc, rows, columns);
}

/**
 * A block of C, `rows` × `columns` at c. a, b: its panels, k steps long. A panel of B meets all panels of A before the
 * next one's turn comes.
 */
function multiplyBlock(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, c: usize, ldc: usize, start: i32, bias: usize, spare: usize,
): void {
  const panelA = (<usize>k * MR) << 2;
  const panelB = (<usize>k * NR) << 2;
  for (let j = 0; j < columns; j += NR) {
    let aPanel = a;
    let tile = c + (<usize>j << 2);
    const tileBias = bias + (<usize>j << 2);
    for (let i = 0; i < rows; i += MR) {
      if (i + MR <= rows && j + NR <= columns) {
        microKernel(k, aPanel, b, tile, ldc, start, tileBias);
      } else {
        edgeTile(k, aPanel, b, tile, ldc, start, tileBias, min(MR, rows - i), min(NR, columns - j), spare);
      }
      aPanel += panelA;
      tile += MR * ldc;
    }
    b += panelB;
  }
}

/**
 * Task: a thread's way through a large product, whose B is packed. C is cut into blocks of rows, and each block into
 * chunks of columns, which are handed out by a counter for each block. A thread packs a block's rows of A for itself,
 * into memory that no other thread has in its cache, and keeps them for all the chunks it gets. It begins with the
 * blocks of its own lane and ends by helping with those of the others.
 */
export function gemmTask(lane: i32): void {
  const m = gemm.m();
  const n = gemm.n();
  const k = gemm.k();
  const panelsB = gemm.panelsB();
  const ldc = gemm.rowBytes();
  const blockRows = gemm.blockRows();
  const blocks = gemm.blocks();
  const chunkColumns = gemm.chunkColumns();
  const lanes = gemm.lanes();
  const counters = gemm.counters();
  const chunks = (n + chunkColumns - 1) / chunkColumns;
  const spare = scratch();
  const panelsA = spare + 4 * MR * NR;
  let block = (lane * blocks) / lanes;
  for (let seen = 0; seen < blocks; seen++) {
    const row = block * blockRows;
    const rows = min(blockRows, m - row);
    const counter = counters + (<usize>block << 2);
    let packed = false;
    while (atomic.load<i32>(counter) < chunks) {
      const chunk = atomic.add<i32>(counter, 1);
      if (chunk >= chunks) break;
      if (!packed) {
        packRowsA(gemm.a() + <usize>row * gemm.lineA(), gemm.lineA(), gemm.stepA(), 0, rows, k, panelsA);
      }
      packed = true;
      const column = chunk * chunkColumns;
      multiplyBlock(
        rows, min(chunkColumns, n - column), k, panelsA, panelsB + ((<usize>column * k) << 2),
        gemm.c() + <usize>row * ldc + (<usize>column << 2), ldc, gemm.start(),
        gemm.bias() + (<usize>column << 2), spare,
      );
    }
    if (++block == blocks) block = 0;
  }
}

/**
 * Task: some rows of one of many small products (attention's heads). The thread packs what it needs for itself.
 * The table holds for each product the bytes at which A, B and C begin.
 */
export function gemmBatchTask(task: i32): void {
  const m = gemmBatch.m();
  const n = gemmBatch.n();
  const k = gemmBatch.k();
  const blockRows = gemmBatch.blockRows();
  const blocksDown = gemmBatch.blocksDown();
  const ldc = gemmBatch.rowBytes();
  const entry = gemmBatch.table() + <usize>(task / blocksDown) * 12;
  const row = (task % blocksDown) * blockRows;
  const rows = min(blockRows, m - row);
  const spare = scratch();
  const panelsA = spare + 4 * MR * NR;
  const panelsB = panelsA + ((<usize>((rows + MR - 1) / MR) * MR * k) << 2);
  const lineA = gemmBatch.lineA();
  packRowsA(load<usize>(entry) + <usize>row * lineA, lineA, gemmBatch.stepA(), 0, rows, k, panelsA);
  packColumnsB(load<usize>(entry, 4), gemmBatch.lineB(), gemmBatch.stepB(), 0, n, k, panelsB);
  multiplyBlock(
    rows, n, k, panelsA, panelsB, load<usize>(entry, 8) + <usize>row * ldc, ldc, gemmBatch.start(),
    gemmBatch.bias(), spare,
  );
}
