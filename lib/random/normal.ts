/**
 * Normal numbers from uniform ones by Box and Muller's transform (1958): for uniform u₁, u₂
 *
 *     r = √(−2 ln u₁),  θ = 2π u₂   →   r cos θ and r sin θ are two independent normals.
 */

const fround = Math.fround;
const BLOCK = 16;
const HALF = BLOCK / 2;

/** One pair in double precision, as torch's `normal_distribution<double>`: note which of u₁, u₂ is which. */
export function normalPair(u1: number, u2: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log1p(-u2));
  const theta = 2 * Math.PI * u1;
  return [radius * Math.cos(theta), radius * Math.sin(theta)];
}

/**
 * Fills `out` (16 numbers or more) as torch's `normal_fill`: uniforms everywhere, then block by block of 16
 * entry j pairs with entry j + 8. If the size is not a multiple of 16, the last 16 entries are drawn again from
 * 16 new uniforms, overwriting some that were already made.
 *
 * Every step is rounded to float32 as in torch's scalar loop. Its AVX2 loop approximates log, sin and cos by
 * polynomials, so the two differ in the last bits there.
 */
export function fillNormalBlocks(out: Float32Array, uniform: () => number, mean: number, std: number): void {
  const n = out.length;
  for (let i = 0; i < n; i++) out[i] = uniform();
  for (let start = 0; start + BLOCK <= n; start += BLOCK) transformBlock(out, start, mean, std);
  if (n % BLOCK === 0) return;
  for (let i = n - BLOCK; i < n; i++) out[i] = uniform();
  transformBlock(out, n - BLOCK, mean, std);
}

function transformBlock(out: Float32Array, start: number, mean: number, std: number): void {
  for (let j = start; j < start + HALF; j++) {
    const u1 = 1 - out[j]; // (0, 1], so that the logarithm is finite
    const radius = fround(Math.sqrt(-2 * fround(Math.log(u1))));
    const theta = fround(2 * Math.PI * out[j + HALF]);
    out[j] = fround(radius * fround(Math.cos(theta))) * std + mean;
    out[j + HALF] = fround(radius * fround(Math.sin(theta))) * std + mean;
  }
}
