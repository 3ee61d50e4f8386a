import { BLOCK, half } from './blocks';
import { blockDots, Blocks, roundRows, Start } from './protocol';
import { madd, splat } from './simd';

/**
 * Products of few rows with a matrix in blocks of 32 numbers (blocks.ts), whose numbers stay the whole numbers that they
 * are: the rows are rounded to such blocks too. What is computed is written down readably in ../../js/blocks.ts.
 */

const LOW_BITS: usize = memory.data<u16>([15], 16);

/** A rounded block: 32 whole numbers of 16 bits, then its scale e and e · their sum. */
const ROUNDED: usize = 80;
/** The largest of these numbers: 32 products with one of 8 bits still have a sum of less than 2³¹. */
const LARGEST: f32 = 32767;
const SCALE: usize = 64;
const SUM: usize = 68;

// @ts-ignore: decorator
@inline
function wholes(at: usize, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(at), inverse)));
}

/**
 * Task, the only one: x in blocks of whole numbers from −32,767 to 32,767. `apart`: of each sixteen those with an even place
 * come before the others, as they are found in bytes of two numbers.
 */
export function roundRowsTask(): void {
  let x = roundRows.x();
  let out = roundRows.out();
  const apart = roundRows.apart() != 0;
  for (let block = (roundRows.m() * roundRows.k()) / BLOCK; block > 0; block--, x += 4 * BLOCK, out += ROUNDED) {
    let largest = splat(0);
    for (let i: usize = 0; i < 128; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(x + i)));
    const most = max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
      max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    const inverse = splat(most == 0 ? 0 : LARGEST / most);
    let sum = i32x4.splat(0);
    for (let i: usize = 0; i < 2; i++) {
      const from = x + 64 * i;
      const to = out + 32 * i;
      const q0 = wholes(from, inverse);
      const q1 = wholes(from + 16, inverse);
      const q2 = wholes(from + 32, inverse);
      const q3 = wholes(from + 48, inverse);
      sum = i32x4.add(sum, i32x4.add(i32x4.add(q0, q1), i32x4.add(q2, q3)));
      const low = i16x8.narrow_i32x4_s(q0, q1);
      const high = i16x8.narrow_i32x4_s(q2, q3);
      v128.store(to, apart ? v128.shuffle<i16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14) : low);
      v128.store(to, apart ? v128.shuffle<i16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15) : high, 16);
    }
    const scale = most / LARGEST;
    const total =
      i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
    store<f32>(out, scale, SCALE);
    store<f32>(out, scale * <f32>total, SUM);
  }
}

/** A block of 4-bit numbers with one of x, whose even and odd places are apart. */
// @ts-ignore: decorator
@inline
function dotOfHalfBytes(block: usize, x0: v128, x1: v128, x2: v128, x3: v128, mask: v128): v128 {
  const q = v128.load(block);
  const first = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(q, mask), x0),
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 8), mask), x1),
  );
  const second = i32x4.add(
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(q, 4), mask), x2),
    i32x4.dot_i16x8_s(i16x8.shr_u(q, 12), x3),
  );
  return f32x4.convert_i32x4_s(i32x4.add(first, second));
}

/** A block of 8-bit numbers with one of x. */
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

/** [Σ s0, Σ s1, Σ s2, Σ s3]. */
// @ts-ignore: decorator
@inline
function sumsOfFour(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const low01 = v128.shuffle<f32>(s0, s1, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(s0, s1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(s2, s3, 0, 4, 1, 5);
  const high23 = v128.shuffle<f32>(s2, s3, 2, 6, 3, 7);
  const s01 = f32x4.add(low01, high01);
  const s23 = f32x4.add(low23, high23);
  return f32x4.add(v128.shuffle<f64>(s01, s23, 0, 2), v128.shuffle<f64>(s01, s23, 1, 3));
}

/**
 * Four rows of Q4 blocks with a rounded row. `step` and `header` are constants where this is called. The scales are left to
 * the processor's scalar half, which has nothing else to do: gathered into one vector they took twice the time.
 */
// @ts-ignore: decorator
@inline
function fourRowsOfHalfBytes(r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32, step: usize, header: usize): v128 {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let m0: f32 = 0;
  let m1: f32 = 0;
  let m2: f32 = 0;
  let m3: f32 = 0;
  const mask = v128.load16_splat(LOW_BITS);
  for (; blocks > 0; blocks--, x += ROUNDED) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    const scale = load<f32>(x, SCALE);
    const sum = load<f32>(x, SUM);
    const d0 = half(r0);
    const d1 = half(r1);
    const d2 = half(r2);
    const d3 = half(r3);
    m0 += sum * (header == 4 ? half(r0 + 2) : -8 * d0);
    m1 += sum * (header == 4 ? half(r1 + 2) : -8 * d1);
    m2 += sum * (header == 4 ? half(r2 + 2) : -8 * d2);
    m3 += sum * (header == 4 ? half(r3 + 2) : -8 * d3);
    s0 = madd(dotOfHalfBytes(r0 + header, x0, x1, x2, x3, mask), splat(scale * d0), s0);
    s1 = madd(dotOfHalfBytes(r1 + header, x0, x1, x2, x3, mask), splat(scale * d1), s1);
    s2 = madd(dotOfHalfBytes(r2 + header, x0, x1, x2, x3, mask), splat(scale * d2), s2);
    s3 = madd(dotOfHalfBytes(r3 + header, x0, x1, x2, x3, mask), splat(scale * d3), s3);
    r0 += step;
    r1 += step;
    r2 += step;
    r3 += step;
  }
  return f32x4.add(sumsOfFour(s0, s1, s2, s3), f32x4(m0, m1, m2, m3));
}

function fourRowsOfQ4_0(r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32): v128 {
  return fourRowsOfHalfBytes(r0, r1, r2, r3, x, blocks, 18, 2);
}

function fourRowsOfQ4_1(r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32): v128 {
  return fourRowsOfHalfBytes(r0, r1, r2, r3, x, blocks, 20, 4);
}

function fourRowsOfQ8_0(r0: usize, r1: usize, r2: usize, r3: usize, x: usize, blocks: i32): v128 {
  let s0 = splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; blocks > 0; blocks--, x += ROUNDED) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    const scale = load<f32>(x, SCALE);
    s0 = madd(dotOfBytes(r0 + 2, x0, x1, x2, x3), splat(scale * half(r0)), s0);
    s1 = madd(dotOfBytes(r1 + 2, x0, x1, x2, x3), splat(scale * half(r1)), s1);
    s2 = madd(dotOfBytes(r2 + 2, x0, x1, x2, x3), splat(scale * half(r2)), s2);
    s3 = madd(dotOfBytes(r3 + 2, x0, x1, x2, x3), splat(scale * half(r3)), s3);
    r0 += 34;
    r1 += 34;
    r2 += 34;
    r3 += 34;
  }
  return sumsOfFour(s0, s1, s2, s3);
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
      let sums: v128;
      if (format == Blocks.q4_1) sums = fourRowsOfQ4_1(r0, r1, r2, r3, x, blocks);
      else if (format == Blocks.q4_0) sums = fourRowsOfQ4_0(r0, r1, r2, r3, x, blocks);
      else sums = fourRowsOfQ8_0(r0, r1, r2, r3, x, blocks);
      sums = f32x4.add(sums, bias);
      const c = blockDots.c() + <usize>row * blockDots.rowBytes();
      v128.store32_lane(c + (<usize>c0 << 2), sums, 0);
      v128.store32_lane(c + (<usize>c1 << 2), sums, 1);
      v128.store32_lane(c + (<usize>c2 << 2), sums, 2);
      v128.store32_lane(c + (<usize>c3 << 2), sums, 3);
    }
  }
}
