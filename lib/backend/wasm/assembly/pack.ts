import { MR, NR, pack } from './protocol';
import { firstLanes, storePair } from './rows';
import { splat } from './simd';

/**
 * Packing: an operand of the matrix product is rewritten into panels in the order in which the micro-kernel
 * (gemm.ts) reads it. Rows and columns may lie at any stride, so a transposed operand costs no copy of its own.
 *
 * A [m, k] becomes panels of 6 rows, panel[p][kk][6]; B [k, n] panels of NR columns, panel[p][kk][NR]: 8, or 16 where
 * vectors of 256 bits multiply them. A panel that hangs over the edge is filled up with whatever is quick: no sum that
 * counts has a part in it.
 */

/** Four rows of four become four columns of four: stored `step` bytes apart. */
// @ts-ignore: decorator
@inline
function storeTransposed(to: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(to + step, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<f64>(high01, high23, 1, 3));
}

/** Line i of a panel; the last line again beyond the edge. */
// @ts-ignore: decorator
@inline
function lineAt(from: usize, line: usize, i: i32, lines: i32): usize {
  return from + <usize>min(i, lines - 1) * line;
}

/**
 * `width` lines of one panel that has `across` of them, element by element: the last steps of k, and strides that have no
 * faster way.
 */
function packSlowly(
  from: usize, line: usize, step: usize, lines: i32, width: i32, across: i32, k: i32, to: usize,
): void {
  for (let kk = 0; kk < k; kk++) {
    const source = from + <usize>kk * step;
    for (let i = 0; i < width; i++) {
      store<f32>(to + (<usize>i << 2), i < lines ? load<f32>(source + <usize>i * line) : 0);
    }
    to += <usize>across << 2;
  }
}

/**
 * One panel of A: `lines` (≤ 6) rows that begin at `from`. `line` is the distance of two rows, `step` of two
 * columns, in bytes.
 */
export function packPanelA(from: usize, line: usize, step: usize, lines: i32, k: i32, to: usize): void {
  if ((step != 4 && line != 4) || (line == 4 && lines < MR)) {
    packSlowly(from, line, step, lines, MR, MR, k, to);
    return;
  }
  if (line == 4) {
    for (let kk = 0; kk < k; kk++) {
      v128.store(to, v128.load(from));
      store<i64>(to, load<i64>(from, 16), 16);
      from += step;
      to += 4 * MR;
    }
    return;
  }
  let r0 = from;
  let r1 = lineAt(from, line, 1, lines);
  let r2 = lineAt(from, line, 2, lines);
  let r3 = lineAt(from, line, 3, lines);
  let r4 = lineAt(from, line, 4, lines);
  let r5 = lineAt(from, line, 5, lines);
  const whole = k & ~3;
  for (let kk = 0; kk < whole; kk += 4) {
    storeTransposed(to, 4 * MR, v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3));
    const v4 = v128.load(r4);
    const v5 = v128.load(r5);
    const low = v128.shuffle<f32>(v4, v5, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(v4, v5, 2, 6, 3, 7);
    v128.store64_lane(to, low, 0, 16);
    v128.store64_lane(to, low, 1, 16 + 4 * MR);
    v128.store64_lane(to, high, 0, 16 + 8 * MR);
    v128.store64_lane(to, high, 1, 16 + 12 * MR);
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    r4 += 16;
    r5 += 16;
    to += 16 * MR;
  }
  packSlowly(r0, line, step, lines, MR, MR, k - whole, to);
}

/** One panel of B: `lines` (≤ NR) columns that begin at `from`, `line` apart; `step` is the distance of two rows. */
export function packPanelB(from: usize, line: usize, step: usize, lines: i32, k: i32, to: usize): void {
  if (line == 4) {
    // What lies behind the edge is another row, or not a number at all.
    const zero = splat(0);
    for (let kk = 0; kk < k; kk++) {
      for (let i = 0; i < NR; i += 4) {
        const at = <usize>i << 2;
        v128.store(to + at, firstLanes(v128.load(from + at), zero, lines - i));
      }
      from += step;
      to += 4 * NR;
    }
    return;
  }
  for (let i = 0; i < NR; i += 8) {
    // Where there is none of these columns, the last one again.
    const first = min(i, lines - 1);
    packEightColumns(from + <usize>first * line, line, step, min(8, lines - first), k, to + (<usize>i << 2));
  }
}

/** Eight columns of a panel, or `lines` of them. */
function packEightColumns(from: usize, line: usize, step: usize, lines: i32, k: i32, to: usize): void {
  if (step != 4) {
    packSlowly(from, line, step, lines, 8, NR, k, to);
    return;
  }
  let r0 = from;
  let r1 = lineAt(from, line, 1, lines);
  let r2 = lineAt(from, line, 2, lines);
  let r3 = lineAt(from, line, 3, lines);
  let r4 = lineAt(from, line, 4, lines);
  let r5 = lineAt(from, line, 5, lines);
  let r6 = lineAt(from, line, 6, lines);
  let r7 = lineAt(from, line, 7, lines);
  const whole = k & ~3;
  for (let kk = 0; kk < whole; kk += 4) {
    storeTransposed(to, 4 * NR, v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3));
    storeTransposed(to + 16, 4 * NR, v128.load(r4), v128.load(r5), v128.load(r6), v128.load(r7));
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    r4 += 16;
    r5 += 16;
    r6 += 16;
    r7 += 16;
    to += 16 * NR;
  }
  packSlowly(r0, line, step, lines, 8, NR, k - whole, to);
}

/** Sixteen neighbouring columns that lie side by side, in full panels: whole cache lines are read at once. */
function packSixteenColumns(from: usize, step: usize, k: i32, to: usize): void {
  // Two panels of eight, or one of sixteen.
  const second = NR == 8 ? (<usize>k * NR) << 2 : 32;
  for (let kk = 0; kk < k; kk++) {
    // All is read before anything is written: V8 cannot know that these do not overlap, and would join nothing.
    const b0 = v128.load(from);
    const b1 = v128.load(from, 16);
    const b2 = v128.load(from, 32);
    const b3 = v128.load(from, 48);
    storePair(to, b0, b1);
    storePair(to + second, b2, b3);
    from += step;
    to += 4 * NR;
  }
}

/** Columns first … last−1 (a multiple of NR, or the end) of B into panels. */
export function packColumnsB(
  from: usize, line: usize, step: usize, first: i32, last: i32, k: i32, to: usize,
): void {
  let column = first;
  const panel = (<usize>k * NR) << 2;
  while (column < last) {
    const source = from + <usize>column * line;
    if (line == 4 && column + 16 <= last) {
      packSixteenColumns(source, step, k, to);
      column += 16;
      to += (16 / NR) * panel;
    } else {
      packPanelB(source, line, step, min(NR, last - column), k, to);
      column += NR;
      to += panel;
    }
  }
}

/** Rows first … last−1 (a multiple of 6, or the end) of A into panels. */
export function packRowsA(
  from: usize, line: usize, step: usize, first: i32, last: i32, k: i32, to: usize,
): void {
  const panel = (<usize>k * MR) << 2;
  for (let row = first; row < last; row += MR) {
    packPanelA(from + <usize>row * line, line, step, min(MR, last - row), k, to);
    to += panel;
  }
}

/** Task: some panels of B. */
export function packTask(task: i32): void {
  const perTask = pack.panelsPerTask();
  const k = pack.k();
  const first = task * perTask * NR;
  packColumnsB(
    pack.b(), pack.line(), pack.step(), first, min(first + perTask * NR, pack.n()), k, pack.panels() + ((<usize>first * k) << 2),
  );
}
