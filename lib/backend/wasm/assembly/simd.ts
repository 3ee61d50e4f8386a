/** Four floats at a time: what every kernel below is made of. */

/** a · b + c, rounded once where the runtime has relaxed SIMD, twice otherwise. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** Sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  );
}

/** [Σ s0, Σ s1, Σ s2, Σ s3]. */
// @ts-ignore: decorator
@inline
export function sumsOfFour(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const low01 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
  const s01 = f32x4.add(low01, high01);
  const s23 = f32x4.add(low23, high23);
  return f32x4.add(v128.shuffle<f64>(s01, s23, 0, 2), v128.shuffle<f64>(s01, s23, 1, 3));
}

/** The upper two lanes, moved down. */
// @ts-ignore: decorator
@inline
export function high(v: v128): v128 {
  return v128.shuffle<f64>(v, v, 1, 1);
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 2)),
    max(f32x4.extract_lane(v, 1), f32x4.extract_lane(v, 3)),
  );
}

// @ts-ignore: decorator
@inline
export function minLanes(v: v128): f32 {
  return min(
    min(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 2)),
    min(f32x4.extract_lane(v, 1), f32x4.extract_lane(v, 3)),
  );
}

/**
 * Constants in memory: V8 would build each splat of a literal anew in every round of a loop, in three instructions;
 * a load is one.
 */
const EXP: usize = memory.data<f32>(
  [
    1.44269504088896341, 12582912.0, -0.693359375, 2.1219444e-4, 1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3,
    4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0, 89.0, -86.98,
  ],
  16,
);

/**
 * e^x to about 1e-7 relative: x = n ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r (Cephes' expf), and 2^n put
 * into the exponent bits. Above 88.73 it is infinite, below −86.98 (where
 * the subnormal numbers are near) 0, and NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // pmin keeps NaN, and is one instruction.
  const limited = f32x4.pmin(x, v128.load32_splat(EXP, 44));
  // Added to 1.5 · 2²³, a number is rounded to a whole one, which stands in the lowest bits of the sum.
  const magic = v128.load32_splat(EXP, 4);
  const shifted = madd(limited, v128.load32_splat(EXP, 0), magic);
  const n = f32x4.sub(shifted, magic);
  let r = madd(n, v128.load32_splat(EXP, 8), limited);
  r = madd(n, v128.load32_splat(EXP, 12), r);
  let p = v128.load32_splat(EXP, 16);
  p = madd(p, r, v128.load32_splat(EXP, 20));
  p = madd(p, r, v128.load32_splat(EXP, 24));
  p = madd(p, r, v128.load32_splat(EXP, 28));
  p = madd(p, r, v128.load32_splat(EXP, 32));
  p = madd(p, r, v128.load32_splat(EXP, 36));
  p = madd(f32x4.mul(r, r), p, f32x4.add(r, v128.load32_splat(EXP, 40)));
  // 2^(n−1), and the sum with itself: 2^128, which is needed up to 88.73, has no exponent bits of its own.
  const power = i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(126 << 23));
  const half = f32x4.mul(p, power);
  return v128.andnot(f32x4.add(half, half), f32x4.lt(x, v128.load32_splat(EXP, 48)));
}

/** tanh(x): a polynomial near 0, (1 − e^−2|x|) / (1 + e^−2|x|) elsewhere. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = splat(-5.70498872745e-3);
  p = madd(p, z, splat(2.06390887954e-2));
  p = madd(p, z, splat(-5.37397155531e-2));
  p = madd(p, z, splat(1.33314422036e-1));
  p = madd(p, z, splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  const e = exp4(f32x4.mul(size, splat(-2.0)));
  const far = f32x4.div(f32x4.sub(splat(1.0), e), f32x4.add(splat(1.0), e));
  const signed = v128.bitselect(x, far, splat(-0.0));
  return v128.bitselect(near, signed, f32x4.lt(size, splat(0.625)));
}

/** Natural logarithm (Cephes' logf): −∞ at 0, NaN below. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // Subnormals are brought into the normal range first.
  const tiny = f32x4.lt(x, splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, splat(8388608.0)), x, tiny);
  let exponent = i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126));
  exponent = i32x4.sub(exponent, v128.and(tiny, i32x4.splat(23)));
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const low = f32x4.lt(m, splat(0.707106781186547524));
  exponent = i32x4.add(exponent, low);
  m = f32x4.sub(f32x4.add(m, v128.and(low, m)), splat(1.0));
  const e = f32x4.convert_i32x4_s(exponent);
  let p = splat(7.0376836292e-2);
  p = madd(p, m, splat(-1.151461031e-1));
  p = madd(p, m, splat(1.1676998740e-1));
  p = madd(p, m, splat(-1.2420140846e-1));
  p = madd(p, m, splat(1.4249322787e-1));
  p = madd(p, m, splat(-1.6668057665e-1));
  p = madd(p, m, splat(2.0000714765e-1));
  p = madd(p, m, splat(-2.4999993993e-1));
  p = madd(p, m, splat(3.3333331174e-1));
  const z = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(e, splat(-2.12194440e-4), y);
  y = madd(z, splat(-0.5), y);
  y = madd(e, splat(0.693359375), f32x4.add(m, y));
  // +∞ and NaN stay as they are.
  y = v128.bitselect(y, x, f32x4.lt(x, splat(Infinity)));
  y = v128.bitselect(splat(NaN), y, f32x4.lt(x, splat(0.0)));
  return v128.bitselect(splat(-Infinity), y, f32x4.eq(x, splat(0.0)));
}
