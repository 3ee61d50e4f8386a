import { scratch } from './job';
import { packPanelB } from './pack';
import { Blocks, embeddingBlocks, NR, packBlocks } from './protocol';
import { storePair } from './rows';
import { madd, splat } from './simd';
import {
  eachBit, fifteens, firstFifths, fortyEights, fourMinimums, fourScales, half, highHalves, lastFifths, lowHalves, sixBits,
  sixteens,
} from './wholeNumbers';

/**
 * Matrices kept in blocks (the layouts are in ../../quantised/formats.ts), decoded: into the panels of a product, and into the
 * rows of an embedding. blockDots.ts multiplies them as they are.
 */

/** Numbers that are decoded together, a group: a block, or an eighth of one of 256. */
export const BLOCK: i32 = 32;

/** Sixteen whole numbers q as d q + m. */
// @ts-ignore: decorator
@inline
function storeSixteen(to: usize, q: v128, d: v128, m: v128): void {
  const low = i16x8.extend_low_i8x16_s(q);
  const high = i16x8.extend_high_i8x16_s(q);
  const q0 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), d, m);
  const q1 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), d, m);
  const q2 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), d, m);
  const q3 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), d, m);
  storePair(to, q0, q1);
  storePair(to + 32, q2, q3);
}

/**
 * Decodes `count` groups of a row from `first` on. Whatever the format, a group is twice sixteen whole numbers q, each sixteen with
 * a scale d and a minimum m.
 */
function decodeGroups(format: i32, row: usize, first: i32, count: i32, to: usize): void {
  const fifteen = fifteens();
  for (let group = first; group < first + count; group++, to += 4 * BLOCK) {
    let d: f32;
    let m: f32;
    let other: f32; // the second sixteen's scale
    let otherM: f32;
    let q0: v128;
    let q1: v128;
    if (format == Blocks.q6_k) {
      const block = row + <usize>(group >> 3) * 210;
      const part = <usize>((group >> 2) & 1);
      const quarter = group & 3;
      const low = block + 64 * part + 32 * <usize>(quarter & 1);
      const high = block + 128 + 32 * part;
      const scale = half(block + 208);
      const scales = block + 192 + 2 * <usize>(group & 7);
      q0 = sixBits(v128.load(low), v128.load(high), quarter, fifteen, fortyEights());
      q1 = sixBits(v128.load(low, 16), v128.load(high, 16), quarter, fifteen, fortyEights());
      d = scale * <f32>(<i32>load<i8>(scales));
      other = scale * <f32>(<i32>load<i8>(scales, 1));
      m = -32 * d;
      otherM = -32 * other;
    } else if (format == Blocks.q4_k) {
      const block = row + <usize>(group >> 3) * 144;
      const numbers = block + 16 + 32 * <usize>((group >> 1) & 3);
      const upper = (group & 4) != 0;
      const byte = 8 * (group & 3);
      const shift = 4 * (group & 1);
      q0 = v128.and(i16x8.shr_u(v128.load(numbers), shift), fifteen);
      q1 = v128.and(i16x8.shr_u(v128.load(numbers, 16), shift), fifteen);
      d = half(block) * <f32>((fourScales(block + 4, upper) >> byte) & 255);
      m = -half(block + 2) * <f32>((fourMinimums(block + 4, upper) >> byte) & 255);
      other = d;
      otherM = m;
    } else if (format == Blocks.q8_0) {
      const block = row + <usize>group * 34;
      q0 = v128.load(block, 2);
      q1 = v128.load(block, 18);
      d = half(block);
      m = 0;
      other = d;
      otherM = 0;
    } else {
      const five = format == Blocks.q5_0 || format == Blocks.q5_1;
      const hasMinimum = format == Blocks.q4_1 || format == Blocks.q5_1;
      const numbers: usize = (hasMinimum ? 4 : 2) + (five ? 4 : 0);
      const block = row + <usize>group * (numbers + 16);
      const q = v128.load(block + numbers);
      q0 = lowHalves(q, fifteen);
      q1 = highHalves(q, fifteen);
      if (five) {
        const bits = v128.load32_splat(block + numbers - 4);
        q0 = v128.or(q0, firstFifths(bits, eachBit(), sixteens()));
        q1 = v128.or(q1, lastFifths(bits, eachBit(), sixteens()));
      }
      d = half(block);
      m = hasMinimum ? half(block + 2) : five ? -16 * d : -8 * d;
      other = d;
      otherM = m;
    }
    storeSixteen(to, q0, splat(d), splat(m));
    storeSixteen(to + 64, q1, splat(other), splat(otherM));
  }
}

/** Task: some panels of B. */
export function packBlocksTask(task: i32): void {
  const perTask = packBlocks.panelsPerTask();
  const k = packBlocks.k();
  const format = packBlocks.format();
  const line = packBlocks.lineB();
  const first = task * perTask * NR;
  const last = min(first + perTask * NR, packBlocks.n());
  const panel = (<usize>k * NR) << 2;
  let to = packBlocks.panels() + ((<usize>first * k) << 2);
  const decoded = scratch();
  if (packBlocks.byColumns() != 0) {
    const group = packBlocks.firstStep() / BLOCK;
    for (let column = first; column < last; column += NR, to += panel) {
      const lines = min(NR, last - column);
      for (let i = 0; i < lines; i++) {
        const row = packBlocks.b() + <usize>(packBlocks.firstColumn() + column + i) * line;
        decodeGroups(format, row, group, k / BLOCK, decoded + ((<usize>i * k) << 2));
      }
      packPanelB(decoded, <usize>k << 2, 4, lines, k, to);
    }
    return;
  }
  // Columns of B lie side by side: a group is a row of several panels.
  for (let column = first; column < last; column += BLOCK, to += (BLOCK / NR) * panel) {
    const group = (packBlocks.firstColumn() + column) / BLOCK;
    let from = packBlocks.b() + <usize>packBlocks.firstStep() * line;
    let row = to;
    for (let kk = 0; kk < k; kk++, from += line, row += 4 * NR) {
      decodeGroups(format, from, group, 1, decoded);
      for (let i = 0; i < BLOCK; i += 8) {
        const eight = decoded + (<usize>i << 2);
        const to = row + <usize>(i / NR) * panel + (<usize>(i % NR) << 2);
        storePair(to, v128.load(eight), v128.load(eight, 16));
      }
    }
  }
}

/** Task: some rows of an embedding. */
export function embeddingBlocksTask(task: i32): void {
  const d = embeddingBlocks.d();
  const last = min(embeddingBlocks.rows(), (task + 1) * embeddingBlocks.rowsPerTask());
  for (let row = task * embeddingBlocks.rowsPerTask(); row < last; row++) {
    const id = load<i32>(embeddingBlocks.ids() + (<usize>row << 2));
    const from = embeddingBlocks.b() + <usize>id * embeddingBlocks.lineB();
    decodeGroups(embeddingBlocks.format(), from, 0, d / BLOCK, embeddingBlocks.out() + ((<usize>row * d) << 2));
  }
}
