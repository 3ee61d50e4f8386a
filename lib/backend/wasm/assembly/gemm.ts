import { madd } from './simd';
import { scratch } from './job';
import { packColumnsB, packRowsA } from './pack';
import { gemm, gemmBatch, MR, NR, Start } from './protocol';
import { storeLanes, storePair } from './rows';

/**
 * The matrix product C [m, n] (+)= A [m, k] · B [k, n] (+ bias [n]) on packed panels (pack.ts), or on
 * an operand as it lies where few panels of the other meet it, after Goto and
 * van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 * The micro-kernel keeps a tile of 6×NR sums in 12 of the 16 vector registers; two more hold a row of B and one a
 * number of A spread over all lanes. Per step of k it does 12 multiply-adds for 8 loads, which is what two
 * multiply-adders are kept busy with. In vectors of 128 bits NR is 8. Where V8 joins two of them to 256 bits it is 16, and
 * everything below is written in such pairs (docs/engine.md says how V8 finds them): the tile begins with numbers from
 * memory, since V8 does not join what it computes outside the loop from what it loads, and ends with pairs of stores, the upper
 * half first.
 *
 * The panels stream out of the second-level cache, so k is not cut to fit
 * the first: fewer passes over C are worth more. The loop is not unrolled: V8 would move the loads of all steps to
 * the front and spill the sums to the stack, which costs a quarter to a half of the speed.
 */

/** Sums of at most so many steps are short. */
const SHORT: i32 = 64;

/** A row of zeros. */
const ZEROS: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 16);

/**
 * One tile of 6×NR: k steps of a and b onto c, whose rows are `ldc` bytes apart. The rows of a are `lineA` apart, and from a step to
 * the next it is `stepA` and `stepB`: in panels 4, 4 MR and 4 NR. Rows as they lie in a matrix are read at the same speed. The
 * sums begin with the numbers at `from`, whose rows are `ldFrom` apart: 0 for one row that all of them begin with.
 */
export function microKernel(
  k: i32, a: usize, lineA: usize, stepA: usize, b: usize, stepB: usize, from: usize, ldFrom: usize, c: usize, ldc: usize,
): void {
  let r1 = a + lineA;
  let r2 = r1 + lineA;
  let r3 = r2 + lineA;
  let r4 = r3 + lineA;
  let r5 = r4 + lineA;
  let c00 = v128.load(from);
  let c01 = v128.load(from, 16);
  let c02 = NR == 16 ? v128.load(from, 32) : c00;
  let c03 = NR == 16 ? v128.load(from, 48) : c01;
  from += ldFrom;
  let c10 = v128.load(from);
  let c11 = v128.load(from, 16);
  let c12 = NR == 16 ? v128.load(from, 32) : c10;
  let c13 = NR == 16 ? v128.load(from, 48) : c11;
  from += ldFrom;
  let c20 = v128.load(from);
  let c21 = v128.load(from, 16);
  let c22 = NR == 16 ? v128.load(from, 32) : c20;
  let c23 = NR == 16 ? v128.load(from, 48) : c21;
  from += ldFrom;
  let c30 = v128.load(from);
  let c31 = v128.load(from, 16);
  let c32 = NR == 16 ? v128.load(from, 32) : c30;
  let c33 = NR == 16 ? v128.load(from, 48) : c31;
  from += ldFrom;
  let c40 = v128.load(from);
  let c41 = v128.load(from, 16);
  let c42 = NR == 16 ? v128.load(from, 32) : c40;
  let c43 = NR == 16 ? v128.load(from, 48) : c41;
  from += ldFrom;
  let c50 = v128.load(from);
  let c51 = v128.load(from, 16);
  let c52 = NR == 16 ? v128.load(from, 32) : c50;
  let c53 = NR == 16 ? v128.load(from, 48) : c51;
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = NR == 16 ? v128.load(b, 32) : b0;
    const b3 = NR == 16 ? v128.load(b, 48) : b1;
    const a0 = v128.load32_splat(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    if (NR == 16) {
      c02 = madd(a0, b2, c02);
      c03 = madd(a0, b3, c03);
    }
    const a1 = v128.load32_splat(r1);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    if (NR == 16) {
      c12 = madd(a1, b2, c12);
      c13 = madd(a1, b3, c13);
    }
    const a2 = v128.load32_splat(r2);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    if (NR == 16) {
      c22 = madd(a2, b2, c22);
      c23 = madd(a2, b3, c23);
    }
    const a3 = v128.load32_splat(r3);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    if (NR == 16) {
      c32 = madd(a3, b2, c32);
      c33 = madd(a3, b3, c33);
    }
    const a4 = v128.load32_splat(r4);
    c40 = madd(a4, b0, c40);
    c41 = madd(a4, b1, c41);
    if (NR == 16) {
      c42 = madd(a4, b2, c42);
      c43 = madd(a4, b3, c43);
    }
    const a5 = v128.load32_splat(r5);
    c50 = madd(a5, b0, c50);
    c51 = madd(a5, b1, c51);
    if (NR == 16) {
      c52 = madd(a5, b2, c52);
      c53 = madd(a5, b3, c53);
    }
    a += stepA;
    r1 += stepA;
    r2 += stepA;
    r3 += stepA;
    r4 += stepA;
    r5 += stepA;
    b += stepB;
  }
  storeRow(c, c00, c01, c02, c03);
  c += ldc;
  storeRow(c, c10, c11, c12, c13);
  c += ldc;
  storeRow(c, c20, c21, c22, c23);
  c += ldc;
  storeRow(c, c30, c31, c32, c33);
  c += ldc;
  storeRow(c, c40, c41, c42, c43);
  c += ldc;
  storeRow(c, c50, c51, c52, c53);
}

/** A row of a tile. */
// @ts-ignore: decorator
@inline
function storeRow(to: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  storePair(to, s0, s1);
  if (NR == 16) storePair(to + 32, s2, s3);
}

function copyTile(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, columns: i32): void {
  for (let i = 0; i < rows; i++) {
    let at: usize = 0;
    let left = columns;
    for (; left >= 4; left -= 4, at += 16) v128.store(to + at, v128.load(from + at));
    if (left > 0) storeLanes(to + at, v128.load(from + at), left);
    from += fromRow;
    to += toRow;
  }
}

/**
 * A block of C, `rows` × `columns` at c, k steps long. A is read as it lies, its rows `lineA` apart and its columns `stepA`, or from
 * the panels that packBlock has made. A panel of B meets all panels of A before the next one's turn comes. Where the sums are
 * short, C is most of what is read and written, and its rows are gone along.
 */
function multiplyBlock(
  rows: i32, columns: i32, k: i32, a: usize, lineA: usize, stepA: usize, asItLies: boolean, panelsA: usize,
  b: usize, panelB: usize, stepB: usize, c: usize, ldc: usize, start: i32, bias: usize, spare: usize,
): void {
  const down = (rows + MR - 1) / MR;
  const across = (columns + NR - 1) / NR;
  const along = k <= SHORT;
  const outer = along ? down : across;
  const inner = along ? across : down;
  const panelA = (<usize>k * MR) << 2;
  for (let o = 0; o < outer; o++) {
    for (let n = 0; n < inner; n++) {
      const i = (along ? o : n) * MR;
      const j = along ? n : o;
      const lies = asItLies && i + MR <= rows;
      const from = lies ? a + <usize>i * lineA : asItLies ? panelsA : panelsA + <usize>(i / MR) * panelA;
      multiplyTile(
        i, j * NR, rows, columns, k, from, lies ? lineA : 4, lies ? stepA : 4 * MR,
        b + <usize>j * panelB, stepB, c, ldc, start, bias, spare,
      );
    }
  }
}

/**
 * The tile at row i and column j, of a panel of A and one of B. If it hangs over the edge of C it is done in `spare` (6×NR), and
 * its valid part is copied out.
 */
function multiplyTile(
  i: i32, j: i32, rows: i32, columns: i32, k: i32, a: usize, lineA: usize, stepA: usize, b: usize, stepB: usize,
  c: usize, ldc: usize, start: i32, bias: usize, spare: usize,
): void {
  const tile = c + <usize>i * ldc + (<usize>j << 2);
  const whole = i + MR <= rows && j + NR <= columns;
  const to = whole ? tile : spare;
  const ldTo: usize = whole ? ldc : 4 * NR;
  const height = min(MR, rows - i);
  const width = min(NR, columns - j);
  if (start == Start.add) {
    if (!whole) copyTile(tile, ldc, spare, 4 * NR, height, width);
    microKernel(k, a, lineA, stepA, b, stepB, to, ldTo, to, ldTo);
  } else {
    const first = start == Start.bias ? bias + (<usize>j << 2) : ZEROS;
    microKernel(k, a, lineA, stepA, b, stepB, first, 0, to, ldTo);
  }
  if (!whole) copyTile(spare, 4 * NR, tile, ldc, height, width);
}

/** Packs rows of A at `panels`: all of them, or, where A is read as it lies, those of a last panel that has fewer than MR. */
function packBlock(a: usize, line: usize, step: usize, rows: i32, k: i32, asItLies: boolean, panels: usize): void {
  const first = asItLies ? rows - (rows % MR) : 0;
  packRowsA(a, line, step, first, rows, k, panels);
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
  const a = gemm.a();
  const lineA = gemm.lineA();
  const stepA = gemm.stepA();
  const asItLies = gemm.readsA() != 0;
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
        packBlock(a + <usize>row * lineA, lineA, stepA, rows, k, asItLies, panelsA);
      }
      packed = true;
      const column = chunk * chunkColumns;
      multiplyBlock(
        rows, min(chunkColumns, n - column), k, a + <usize>row * lineA, lineA, stepA, asItLies, panelsA,
        gemm.panelsB() + <usize>(column / NR) * gemm.panelB(), gemm.panelB(), gemm.stepB(), gemm.c() + <usize>row * ldc + (<usize>column << 2), ldc, gemm.start(),
        gemm.bias() + (<usize>column << 2), spare,
      );
    }
    if (++block == blocks) block = 0;
  }
}

/** Are the numbers of six rows of A zero at this step? */
// @ts-ignore: decorator
@inline
function isZeroStep(a: usize, line: usize): boolean {
  let bits = load<u32>(a) | load<u32>(a + line);
  a += 2 * line;
  bits |= load<u32>(a) | load<u32>(a + line);
  a += 2 * line;
  bits |= load<u32>(a) | load<u32>(a + line);
  return bits << 1 == 0;
}

/** Are these numbers, a multiple of four, neither infinite nor NaN? */
function isFinite(from: usize, count: i32): boolean {
  let largest = i32x4.splat(0);
  for (; count > 0; count -= 4, from += 16) {
    largest = i32x4.max_u(largest, v128.and(v128.load(from), i32x4.splat(0x7fffffff)));
  }
  return i32x4.all_true(i32x4.lt_u(largest, i32x4.splat(0x7f800000)));
}

/**
 * Task: some rows of one of many small products (attention's heads). The thread packs what it needs for itself.
 * Where six rows of A begin or end with zeros, as behind the causal mask, these steps are left out: 0 times a finite number adds
 * nothing to a sum that began with 0. Half of what attention does with its weights is that.
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
  const stepA = gemmBatch.stepA();
  const asItLies = gemmBatch.readsA() != 0;
  const a = load<usize>(entry) + <usize>row * lineA;
  packBlock(a, lineA, stepA, rows, k, asItLies, panelsA);
  packColumnsB(load<usize>(entry, 4), gemmBatch.lineB(), gemmBatch.stepB(), 0, n, k, panelsB);
  const c = load<usize>(entry, 8) + <usize>row * ldc;
  const panelB = (<usize>k * NR) << 2;
  const start = gemmBatch.start();
  let skips = start == Start.zero;
  let checked = false;
  for (let i = 0; i < rows; i += MR) {
    const lies = asItLies && i + MR <= rows;
    const from = lies ? a + <usize>i * lineA : asItLies ? panelsA : panelsA + ((<usize>i * k) << 2);
    const line: usize = lies ? lineA : 4;
    const step: usize = lies ? stepA : 4 * MR;
    let first = 0;
    let last = k;
    if (skips) {
      while (last > 0 && isZeroStep(from + <usize>(last - 1) * step, line)) last--;
      while (first < last && isZeroStep(from + <usize>first * step, line)) first++;
      if (last - first < k && !checked) {
        checked = true;
        skips = isFinite(panelsB, ((n + NR - 1) / NR) * NR * k);
      }
      if (!skips) {
        first = 0;
        last = k;
      }
    }
    for (let j = 0; j < n; j += NR) {
      multiplyTile(
        i, j, rows, n, last - first, from + <usize>first * step, line, step,
        panelsB + <usize>(j / NR) * panelB + ((<usize>first * NR) << 2), 4 * NR, c, ldc, start, gemmBatch.bias(), spare,
      );
    }
  }
}
