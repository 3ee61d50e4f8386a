import { Blocks } from './protocol';
import { madd, splat, sumsOfFour } from './simd';
import {
  fifteens, fortyEights, fourMinimums, fourScales, half, lowByteOfLanes, lowHalfByteOfLanes, sixBits,
} from './wholeNumbers';

/**
 * The products of blockDots.ts with blocks of 256 numbers, which have 8 or 16 scales of their own: whole numbers, times the
 * block's float16. Four scales at a time become floats, and are multiplied by x's.
 */

/** Four bytes without a sign as floats. */
// @ts-ignore: decorator
@inline
function floatsOf(bytes: u32): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.splat(bytes))));
}

/** Four bytes with a sign. */
// @ts-ignore: decorator
@inline
function signedFloatsAt(bytes: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(bytes))));
}

/** 32 numbers of 4 bits, the lower halves of 32 bytes or the upper ones, with a block of x; on to the sum, times `factor`. */
// @ts-ignore: decorator
@inline
function addHalves(bytes: usize, upper: boolean, x: usize, lowHalf: v128, factor: v128, sum: v128): v128 {
  const q0 = v128.load(bytes);
  const q1 = v128.load(bytes, 16);
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(upper ? i16x8.shr_u(q0, 4) : q0, lowHalf), v128.load(x)),
    i32x4.dot_i16x8_s(upper ? i16x8.shr_u(q0, 12) : v128.and(i16x8.shr_u(q0, 8), lowHalf), v128.load(x, 16)),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(upper ? i16x8.shr_u(q1, 4) : q1, lowHalf), v128.load(x, 32)),
    i32x4.dot_i16x8_s(upper ? i16x8.shr_u(q1, 12) : v128.and(i16x8.shr_u(q1, 8), lowHalf), v128.load(x, 48)),
  );
  return madd(f32x4.convert_i32x4_s(i32x4.add(first, second)), factor, sum);
}

/** A block of Q4_K with eight of x: `scales` is where these have their scales, and `sums` further their sums. */
function addQ4_K(block: usize, x: usize, scales: usize, sums: usize, sum: v128): v128 {
  const lowHalf = lowHalfByteOfLanes();
  const d = splat(half(block));
  const dMin = splat(-half(block + 2));
  for (let i: usize = 0; i < 2; i++) {
    const upper = i == 1;
    const f = f32x4.mul(f32x4.mul(floatsOf(fourScales(block + 4, upper)), d), v128.load(scales));
    sum = madd(f32x4.mul(floatsOf(fourMinimums(block + 4, upper)), dMin), v128.load(scales + sums), sum);
    const q = block + 16 + 64 * i;
    sum = addHalves(q, false, x, lowHalf, v128.shuffle<f32>(f, f, 0, 0, 0, 0), sum);
    sum = addHalves(q, true, x + 64, lowHalf, v128.shuffle<f32>(f, f, 1, 1, 1, 1), sum);
    sum = addHalves(q + 32, false, x + 128, lowHalf, v128.shuffle<f32>(f, f, 2, 2, 2, 2), sum);
    sum = addHalves(q + 32, true, x + 192, lowHalf, v128.shuffle<f32>(f, f, 3, 3, 3, 3), sum);
    x += 256;
    scales += 16;
  }
  return sum;
}

/** 32 numbers of 6 bits, one of the four quarters that share bytes, with a block of x; a factor for each sixteen. */
// @ts-ignore: decorator
@inline
function addQuarter(
  quarter: i32, low: usize, high: usize, x: usize, fifteen: v128, fortyEight: v128, lowByte: v128, factor: v128, other: v128, sum: v128,
): v128 {
  const q0 = sixBits(v128.load(low), v128.load(high), quarter, fifteen, fortyEight);
  const q1 = sixBits(v128.load(low, 16), v128.load(high, 16), quarter, fifteen, fortyEight);
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(q0, lowByte), v128.load(x)),
    i32x4.dot_i16x8_s(i16x8.shr_u(q0, 8), v128.load(x, 16)),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(q1, lowByte), v128.load(x, 32)),
    i32x4.dot_i16x8_s(i16x8.shr_u(q1, 8), v128.load(x, 48)),
  );
  return madd(f32x4.convert_i32x4_s(second), other, madd(f32x4.convert_i32x4_s(first), factor, sum));
}

/** The same for Q6_K: `sums` are those of sixteen numbers. */
function addQ6_K(block: usize, x: usize, scales: usize, sums: usize, sum: v128): v128 {
  const fifteen = fifteens();
  const fortyEight = fortyEights();
  const lowByte = lowByteOfLanes();
  const d = splat(half(block + 208));
  const minimum = splat(-32);
  for (let part: usize = 0; part < 2; part++) {
    const own = f32x4.mul(signedFloatsAt(block + 192 + 8 * part), d);
    const further = f32x4.mul(signedFloatsAt(block + 196 + 8 * part), d);
    sum = madd(f32x4.mul(own, minimum), v128.load(sums), sum);
    sum = madd(f32x4.mul(further, minimum), v128.load(sums, 16), sum);
    const e = v128.load(scales);
    const f = f32x4.mul(own, v128.shuffle<f32>(e, e, 0, 0, 1, 1));
    const g = f32x4.mul(further, v128.shuffle<f32>(e, e, 2, 2, 3, 3));
    const low = block + 64 * part;
    const high = block + 128 + 32 * part;
    sum = addQuarter(
      0, low, high, x, fifteen, fortyEight, lowByte, v128.shuffle<f32>(f, f, 0, 0, 0, 0), v128.shuffle<f32>(f, f, 1, 1, 1, 1), sum,
    );
    sum = addQuarter(
      1, low + 32, high, x + 64, fifteen, fortyEight, lowByte, v128.shuffle<f32>(f, f, 2, 2, 2, 2), v128.shuffle<f32>(f, f, 3, 3, 3, 3), sum,
    );
    sum = addQuarter(
      2, low, high, x + 128, fifteen, fortyEight, lowByte, v128.shuffle<f32>(g, g, 0, 0, 0, 0), v128.shuffle<f32>(g, g, 1, 1, 1, 1), sum,
    );
    sum = addQuarter(
      3, low + 32, high, x + 192, fifteen, fortyEight, lowByte, v128.shuffle<f32>(g, g, 2, 2, 2, 2), v128.shuffle<f32>(g, g, 3, 3, 3, 3), sum,
    );
    x += 256;
    scales += 16;
    sums += 32;
  }
  return sum;
}

/** Four rows of blocks of 256 with a rounded row, whose blocks of 32 are so many. */
export function fourRowsOfSuperBlocks(
  format: i32, r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32,
): v128 {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  // Behind the whole numbers: the scales, the sums, the sums of sixteen (blockDots.ts).
  let scales = x + 64 * <usize>blocks;
  const toSums = 4 * <usize>blocks;
  let sums = x + 72 * <usize>blocks;
  for (; blocks > 0; blocks -= 8, x += 512, scales += 32, sums += 64) {
    if (format == Blocks.q4_k) {
      s0 = addQ4_K(r0, x, scales, toSums, s0);
      s1 = addQ4_K(r1, x, scales, toSums, s1);
      s2 = addQ4_K(r2, x, scales, toSums, s2);
      s3 = addQ4_K(r3, x, scales, toSums, s3);
    } else {
      s0 = addQ6_K(r0, x, scales, sums, s0);
      s1 = addQ6_K(r1, x, scales, sums, s1);
      s2 = addQ6_K(r2, x, scales, sums, s2);
      s3 = addQ6_K(r3, x, scales, sums, s3);
    }
    const step: usize = format == Blocks.q4_k ? 144 : 210;
    r0 += step;
    r1 += step;
    r2 += step;
    r3 += step;
  }
  return sumsOfFour(s0, s1, s2, s3);
}
