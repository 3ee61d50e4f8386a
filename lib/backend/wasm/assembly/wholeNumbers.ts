/**
 * The whole numbers of blocks (../../quantised/formats.ts), sixteen at a time in the bytes of a vector, and their scales. Masks
 * are arguments, so that a loop loads them once: V8 would build a constant anew in every round.
 */

/** Sixteen times 15, 16 and 48; and each bit of a byte, twice. */
const MASKS: usize = memory.data<u8>(
  [
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48,
    1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128,
  ],
  16,
);

const LANES: usize = memory.data<u16>([15, 255], 16);

// @ts-ignore: decorator
@inline
export function fifteens(): v128 {
  return v128.load(MASKS);
}

// @ts-ignore: decorator
@inline
export function sixteens(): v128 {
  return v128.load(MASKS, 16);
}

// @ts-ignore: decorator
@inline
export function fortyEights(): v128 {
  return v128.load(MASKS, 32);
}

// @ts-ignore: decorator
@inline
export function eachBit(): v128 {
  return v128.load(MASKS, 48);
}

/** 15 in each lane of 16 bits. */
// @ts-ignore: decorator
@inline
export function lowHalfByteOfLanes(): v128 {
  return v128.load16_splat(LANES);
}

/** 255 in each. */
// @ts-ignore: decorator
@inline
export function lowByteOfLanes(): v128 {
  return v128.load16_splat(LANES, 2);
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

// @ts-ignore: decorator
@inline
export function lowHalves(q: v128, fifteen: v128): v128 {
  return v128.and(q, fifteen);
}

// @ts-ignore: decorator
@inline
export function highHalves(q: v128, fifteen: v128): v128 {
  return v128.and(i16x8.shr_u(q, 4), fifteen);
}

/** 16 for each of the first sixteen bits that is set, where `bits` are 32 bits spread over all lanes. */
// @ts-ignore: decorator
@inline
export function firstFifths(bits: v128, bit: v128, sixteen: v128): v128 {
  const spread = v128.shuffle<i8>(bits, bits, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  return v128.and(i8x16.eq(v128.and(spread, bit), bit), sixteen);
}

/** For each of the other sixteen. */
// @ts-ignore: decorator
@inline
export function lastFifths(bits: v128, bit: v128, sixteen: v128): v128 {
  const spread = v128.shuffle<i8>(bits, bits, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  return v128.and(i8x16.eq(v128.and(spread, bit), bit), sixteen);
}

/** Q6_K: `low` has four bits of a number in one half of each byte, `high` two; both of 32 numbers of each of the four quarters. */
// @ts-ignore: decorator
@inline
export function sixBits(low: v128, high: v128, quarter: i32, fifteen: v128, fortyEight: v128): v128 {
  const four = v128.and(quarter < 2 ? low : i16x8.shr_u(low, 4), fifteen);
  // The two bits are those of 48 = 3 · 16, when they have moved up by 4, by 2, not at all, or down by 2.
  let moved = high;
  if (quarter < 2) moved = i16x8.shl(high, 4 - 2 * quarter);
  if (quarter > 2) moved = i16x8.shr_u(high, 2);
  return v128.or(four, v128.and(moved, fortyEight));
}

/** Q4_K: the 6-bit scales of groups 0 to 3, or of the upper four, as four bytes. `at` is where the scales begin. */
// @ts-ignore: decorator
@inline
export function fourScales(at: usize, upper: boolean): u32 {
  if (!upper) return load<u32>(at) & 0x3f3f3f3f;
  return (load<u32>(at, 8) & 0x0f0f0f0f) | ((load<u32>(at) >> 2) & 0x30303030);
}

/** Their minimums. */
// @ts-ignore: decorator
@inline
export function fourMinimums(at: usize, upper: boolean): u32 {
  if (!upper) return load<u32>(at, 4) & 0x3f3f3f3f;
  return ((load<u32>(at, 8) >> 4) & 0x0f0f0f0f) | ((load<u32>(at, 4) >> 2) & 0x30303030);
}
