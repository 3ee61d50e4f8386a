import { microKernel } from './gemm';
import { MR, NR } from './protocol';
import { madd, splat } from './simd';

/** What the host times to learn whether V8 joined the tile's vectors: both do `rounds` times the same number of sums. */

/** Steps of k: the panels stay in the first-level cache. */
const STEPS: i32 = 128;

/** The tile of the matrix product. At `at` there are panels, and room for the tile behind them. */
export function timeTile(rounds: i32, at: usize): void {
  const b = at + 4 * STEPS * MR;
  const c = b + 4 * STEPS * NR;
  for (; rounds > 0; rounds--) microKernel(STEPS, at, 4, 4 * MR, b, 4 * NR, c, 4 * NR, c, 4 * NR);
}

/** Sums in vectors of 128 bits, with nothing else to do: no tile of such vectors is faster. Of two numbers at `at`. */
export function timeSums(rounds: i32, at: usize): f32 {
  // From memory: V8 would make a constant anew for every use.
  const a = v128.load32_splat(at);
  const b = v128.load32_splat(at, 4);
  let s0 = splat(0);
  let s1 = splat(1);
  let s2 = splat(2);
  let s3 = splat(3);
  let s4 = splat(4);
  let s5 = splat(5);
  let s6 = splat(6);
  let s7 = splat(7);
  let s8 = splat(8);
  let s9 = splat(9);
  let s10 = splat(10);
  let s11 = splat(11);
  for (let steps = (rounds * STEPS * NR) / 8; steps > 0; steps--) {
    s0 = madd(a, b, s0);
    s1 = madd(a, b, s1);
    s2 = madd(a, b, s2);
    s3 = madd(a, b, s3);
    s4 = madd(a, b, s4);
    s5 = madd(a, b, s5);
    s6 = madd(a, b, s6);
    s7 = madd(a, b, s7);
    s8 = madd(a, b, s8);
    s9 = madd(a, b, s9);
    s10 = madd(a, b, s10);
    s11 = madd(a, b, s11);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7)));
  return f32x4.extract_lane(f32x4.add(s, f32x4.add(f32x4.add(s8, s9), f32x4.add(s10, s11))), 0);
}
