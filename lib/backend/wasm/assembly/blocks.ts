import { scratch } from './job';
import { packPanelB } from './pack';
import { Blocks, embeddingBlocks, NR, packBlocks } from './protocol';
import { storePair } from './rows';
import { madd, splat } from './simd';

/**
 * Matrices kept in blocks of 32 numbers with one scale (Q4_0, Q4_1, Q8_0; the layouts are in ../../quantised/formats.ts),
 * decoded: into the panels of a product, and into the rows of an embedding. blockDots.ts multiplies them as they are.
 */

export const BLOCK: i32 = 32;

/** Bytes of a block. */
// @ts-ignore: decorator
@inline
function blockBytes(format: i32): i32 {
  return format == Blocks.q4_0 ? 18 : format == Blocks.q4_1 ? 20 : 34;
}

/**
 * A float16. Its digits go where float32 has them, below a sign that is spread over four bits, of which the first stays;
 * its exponent is brought to float32's by a factor of 2¹¹², which is right for subnormal ones too.
 */
// @ts-ignore: decorator
@inline
export function half(at: usize): f32 {
  return reinterpret<f32>((<i32>load<i16>(at) << 13) & 0x8fffe000) * reinterpret<f32>(0x77800000);
}

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

/** Decodes some blocks that lie side by side. */
function decodeBlocks(format: i32, from: usize, blocks: i32, to: usize): void {
  const step = blockBytes(format);
  for (; blocks > 0; blocks--, from += step, to += 4 * BLOCK) {
    const scale = half(from);
    const d = splat(scale);
    if (format == Blocks.q8_0) {
      const zero = splat(0);
      storeSixteen(to, v128.load(from, 2), d, zero);
      storeSixteen(to + 64, v128.load(from, 18), d, zero);
    } else {
      const hasMinimum = format == Blocks.q4_1;
      const m = splat(hasMinimum ? half(from + 2) : -8 * scale);
      const q = v128.load(from + (hasMinimum ? 4 : 2));
      storeSixteen(to, v128.and(q, i8x16.splat(15)), d, m);
      storeSixteen(to + 64, i8x16.shr_u(q, 4), d, m);
    }
  }
}

/** Task: some panels of B. */
export function packBlocksTask(task: i32): void {
  const perTask = packBlocks.panelsPerTask();
  const k = packBlocks.k();
  const format = packBlocks.format();
  const line = packBlocks.lineB();
  const bytes = <usize>blockBytes(format);
  const first = task * perTask * NR;
  const last = min(first + perTask * NR, packBlocks.n());
  const panel = (<usize>k * NR) << 2;
  let to = packBlocks.panels() + ((<usize>first * k) << 2);
  const decoded = scratch();
  if (packBlocks.byColumns() != 0) {
    const from = packBlocks.b() + <usize>(packBlocks.firstStep() / BLOCK) * bytes;
    for (let column = first; column < last; column += NR, to += panel) {
      const lines = min(NR, last - column);
      for (let i = 0; i < lines; i++) {
        const row = from + <usize>(packBlocks.firstColumn() + column + i) * line;
        decodeBlocks(format, row, k / BLOCK, decoded + ((<usize>i * k) << 2));
      }
      packPanelB(decoded, <usize>k << 2, 4, lines, k, to);
    }
    return;
  }
  // Columns of B lie side by side: a block is a row of several panels.
  for (let column = first; column < last; column += BLOCK, to += (BLOCK / NR) * panel) {
    const block = <usize>((packBlocks.firstColumn() + column) / BLOCK) * bytes;
    let from = packBlocks.b() + <usize>packBlocks.firstStep() * line + block;
    let row = to;
    for (let kk = 0; kk < k; kk++, from += line, row += 4 * NR) {
      decodeBlocks(format, from, 1, decoded);
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
    decodeBlocks(embeddingBlocks.format(), from, d / BLOCK, embeddingBlocks.out() + ((<usize>row * d) << 2));
  }
}
