import { BLOCK } from './blocks';
import { blockDots, Blocks, roundRows, Start } from './protocol';
import { madd, splat, sumsOfFour } from './simd';
import { fourRowsOfSuperBlocks } from './superBlockDots';
import {
  eachBit, fifteens, firstFifths, half, highHalves, lastFifths, lowByteOfLanes, lowHalfByteOfLanes, lowHalves, sixteens,
} from './wholeNumbers';

/**
 * Products of few rows with a matrix in blocks (blocks.ts), whose numbers stay the whole numbers that they are: the rows are
 * rounded to blocks of 32 too. What is computed is written down readably in ../../js/blocks.ts. Blocks of 256 are in
 * superBlockDots.ts.
 */

/**
 * Bytes of a rounded block: 32 whole numbers of 16 bits, its scale e, e · their sum, and e · the sums of its two sixteens. In a row
 * the whole numbers of all blocks come first, then all scales, and so on.
 */
const ROUNDED: usize = 80;
/** The largest of these numbers: 32 products with one of 8 bits still have a sum of less than 2³¹. */
const LARGEST: f32 = 32767;

// @ts-ignore: decorator
@inline
function wholes(at: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
}

// @ts-ignore: decorator
@inline
function sumOfLanes(x: v128): i32 {
  return i32x4.extract_lane(x, 0) + i32x4.extract_lane(x, 1) + i32x4.extract_lane(x, 2) + i32x4.extract_lane(x, 3);
}

/**
 * Task, the only one: x in blocks of whole numbers from −32,767 to 32,767. `apart`: of each sixteen those with an even place
 * come before the others, as they are found in bytes of two numbers.
 */
export function roundRowsTask(): void {
  const blocks = <usize>(roundRows.k() / BLOCK);
  const apart = roundRows.apart() != 0;
  let x = roundRows.x();
  let out = roundRows.out();
  for (let row = roundRows.m(); row > 0; row--, x += 128 * blocks, out += ROUNDED * blocks) {
    const scales = out + 64 * blocks;
    for (let block: usize = 0; block < blocks; block++) {
      const at = scales + 4 * block;
      roundBlock(x + 128 * block, out + 64 * block, apart, at, at + 4 * blocks, scales + 8 * (blocks + block));
    }
  }
}

function roundBlock(x: usize, out: usize, apart: boolean, scaleAt: usize, sumAt: usize, sumsOfSixteen: usize): void {
  let largest = splat(0);
  for (let i: usize = 0; i < 128; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(x + i)));
  const most = max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
  const inverse = splat(most == 0 ? 0 : LARGEST / most);
  const scale = most / LARGEST;
  let sum = i32x4.splat(0);
  for (let i: usize = 0; i < 2; i++) {
    const from = x + 64 * i;
    const to = out + 32 * i;
    const q0 = wholes(from, inverse);
    const q1 = wholes(from + 16, inverse);
    const q2 = wholes(from + 32, inverse);
    const q3 = wholes(from + 48, inverse);
    const ofSixteen = i32x4.add(i32x4.add(q0, q1), i32x4.add(q2, q3));
    store<f32>(sumsOfSixteen + 4 * i, scale * <f32>sumOfLanes(ofSixteen));
    sum = i32x4.add(sum, ofSixteen);
    const low = i16x8.narrow_i32x4_s(q0, q1);
    const high = i16x8.narrow_i32x4_s(q2, q3);
    v128.store(to, apart ? v128.shuffle<i16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14) : low);
    v128.store(to, apart ? v128.shuffle<i16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15) : high, 16);
  }
  store<f32>(scaleAt, scale);
  store<f32>(sumAt, scale * <f32>sumOfLanes(sum));
}

/** Sixteen whole numbers with those of x, whose even and odd places are apart. */
// @ts-ignore: decorator
@inline
function dotOfSixteen(q: v128, even: v128, odd: v128, lowBytes: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(v128.and(q, lowBytes), even), i32x4.dot_i16x8_s(i16x8.shr_u(q, 8), odd));
}

/** A block of 4-bit numbers with one of x. `lowHalf` is 15 in each lane of 16 bits. */
// @ts-ignore: decorator
@inline
function dotOfHalfBytes(block: usize, x0: v128, x1: v128, x2: v128, x3: v128, lowHalf: v128): v128 {
  const q = v128.load(block);
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(q, lowHalf), x0),
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 8), lowHalf), x1),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 4), lowHalf), x2),
    i32x4.dot_i16x8_s(i16x8.shr_u(q, 12), x3),
  );
  return f32x4.convert_i32x4_s(i32x4.add(first, second));
}

/** A block of 5-bit numbers with one of x: their fifth bits stand in the four bytes in front of `block`. */
// @ts-ignore: decorator
@inline
function dotOfFiveBits(
  block: usize, x0: v128, x1: v128, x2: v128, x3: v128, lowBytes: v128, fifteen: v128, bit: v128, sixteen: v128,
): v128 {
  const q = v128.load(block);
  const bits = v128.load32_splat(block - 4);
  const low = v128.or(lowHalves(q, fifteen), firstFifths(bits, bit, sixteen));
  const high = v128.or(highHalves(q, fifteen), lastFifths(bits, bit, sixteen));
  return f32x4.convert_i32x4_s(
    i32x4.add(dotOfSixteen(low, x0, x1, lowBytes), dotOfSixteen(high, x2, x3, lowBytes)),
  );
}

/** A block of 8-bit numbers with one of x, whose places are as they were. */
// @ts-ignore: decorator
@inline
function dotOfBytes(block: usize, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(block), x0),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(block, 8), x1),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.load_ext<i8>(block, 16), x2),
    i32x4.dot_i16x8_s(v128.load_ext<i8>(block, 24), x3),
  );
  return f32x4.convert_i32x4_s(i32x4.add(first, second));
}

/** A block's whole numbers with one of x; `format` is a constant where this is called. */
// @ts-ignore: decorator
@inline
function dotOfBlock(
  format: i32, block: usize, x0: v128, x1: v128, x2: v128, x3: v128, low: v128, fifteen: v128, bit: v128, sixteen: v128,
): v128 {
  if (format == Blocks.q8_0) return dotOfBytes(block + 2, x0, x1, x2, x3);
  if (format == Blocks.q4_0) return dotOfHalfBytes(block + 2, x0, x1, x2, x3, low);
  if (format == Blocks.q4_1) return dotOfHalfBytes(block + 4, x0, x1, x2, x3, low);
  return dotOfFiveBits(block + (format == Blocks.q5_0 ? 6 : 8), x0, x1, x2, x3, low, fifteen, bit, sixteen);
}

/** What is added to each of a block's numbers, whose scale is d. */
// @ts-ignore: decorator
@inline
function minimum(format: i32, block: usize, d: f32): f32 {
  return format == Blocks.q4_0 ? -8 * d : format == Blocks.q5_0 ? -16 * d : half(block + 2);
}

/**
 * Four rows of blocks of 32 with a rounded row. The scales are left to the processor's scalar half, which has nothing else to do:
 * gathered into one vector they took twice the time.
 */
// @ts-ignore: decorator
@inline
function fourRows(format: i32, step: usize, r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32): v128 {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let m0: f32 = 0;
  let m1: f32 = 0;
  let m2: f32 = 0;
  let m3: f32 = 0;
  const low = format == Blocks.q5_0 || format == Blocks.q5_1 ? lowByteOfLanes() : lowHalfByteOfLanes();
  const fifteen = fifteens();
  const bit = eachBit();
  const sixteen = sixteens();
  let scaleAt = x + 64 * <usize>blocks;
  const toSum = 4 * <usize>blocks;
  for (; blocks > 0; blocks--, x += 64, scaleAt += 4) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    const scale = load<f32>(scaleAt);
    const d0 = half(r0);
    const d1 = half(r1);
    const d2 = half(r2);
    const d3 = half(r3);
    if (format != Blocks.q8_0) {
      const sum = load<f32>(scaleAt + toSum);
      m0 += sum * minimum(format, r0, d0);
      m1 += sum * minimum(format, r1, d1);
      m2 += sum * minimum(format, r2, d2);
      m3 += sum * minimum(format, r3, d3);
    }
    s0 = madd(dotOfBlock(format, r0, x0, x1, x2, x3, low, fifteen, bit, sixteen), splat(scale * d0), s0);
    s1 = madd(dotOfBlock(format, r1, x0, x1, x2, x3, low, fifteen, bit, sixteen), splat(scale * d1), s1);
    s2 = madd(dotOfBlock(format, r2, x0, x1, x2, x3, low, fifteen, bit, sixteen), splat(scale * d2), s2);
    s3 = madd(dotOfBlock(format, r3, x0, x1, x2, x3, low, fifteen, bit, sixteen), splat(scale * d3), s3);
    r0 += step;
    r1 += step;
    r2 += step;
    r3 += step;
  }
  const sums = sumsOfFour(s0, s1, s2, s3);
  return format == Blocks.q8_0 ? sums : f32x4.add(sums, f32x4(m0, m1, m2, m3));
}

function fourRowsOf(format: i32, r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32): v128 {
  if (format == Blocks.q8_0) return fourRows(Blocks.q8_0, 34, r0, r1, r2, r3, x, blocks);
  if (format == Blocks.q4_0) return fourRows(Blocks.q4_0, 18, r0, r1, r2, r3, x, blocks);
  if (format == Blocks.q4_1) return fourRows(Blocks.q4_1, 20, r0, r1, r2, r3, x, blocks);
  if (format == Blocks.q5_0) return fourRows(Blocks.q5_0, 22, r0, r1, r2, r3, x, blocks);
  if (format == Blocks.q5_1) return fourRows(Blocks.q5_1, 24, r0, r1, r2, r3, x, blocks);
  return fourRowsOfSuperBlocks(format, r0, r1, r2, r3, x, blocks);
}

/**
 * Task: some columns of C, in four quarters side by side, so that each is read from one end to the other: memory answers
 * four long streams three times as fast as rows that are next to each other. Beyond the last column, the last once more.
 */
export function blockDotsTask(task: i32): void {
  const blocks = blockDots.k() / BLOCK;
  const line = blockDots.lineB();
  const format = blockDots.format();
  const first = task * blockDots.columnsPerTask();
  const last = min(blockDots.n(), first + blockDots.columnsPerTask()) - 1;
  const quarter = (last - first + 4) >> 2;
  for (let i = 0; i < quarter; i++) {
    const c0 = first + i;
    const c1 = min(c0 + quarter, last);
    const c2 = min(c0 + 2 * quarter, last);
    const c3 = min(c0 + 3 * quarter, last);
    const b = blockDots.b();
    const r0 = b + <usize>c0 * line;
    const r1 = b + <usize>c1 * line;
    const r2 = b + <usize>c2 * line;
    const r3 = b + <usize>c3 * line;
    let bias = splat(0);
    if (blockDots.start() == Start.bias) {
      const at = blockDots.bias();
      bias = f32x4(load<f32>(at + (<usize>c0 << 2)), load<f32>(at + (<usize>c1 << 2)), load<f32>(at + (<usize>c2 << 2)), load<f32>(at + (<usize>c3 << 2)));
    }
    for (let row = 0; row < blockDots.m(); row++) {
      const x = blockDots.x() + <usize>(row * blocks) * ROUNDED;
      const sums = f32x4.add(fourRowsOf(format, r0, r1, r2, r3, x, blocks), bias);
      const c = blockDots.c() + <usize>row * blockDots.rowBytes();
      v128.store32_lane(c + (<usize>c0 << 2), sums, 0);
      v128.store32_lane(c + (<usize>c1 << 2), sums, 1);
      v128.store32_lane(c + (<usize>c2 << 2), sums, 2);
      v128.store32_lane(c + (<usize>c3 << 2), sums, 3);
    }
  }
}
