import { argI, argP } from './job';
import { rowLength, rowOffset, storeLanes } from './rows';
import { exp4, log4, madd, splat, tanh4 } from './simd';

/**
 * Elementwise kernels. Arguments: op, tasks' rows, rows, row length, elements in all, the operands' addresses, and
 * their steps along the row in elements (0 or 1); see rows.ts for the rest.
 */

const SQRT_2_OVER_PI: f32 = 0.7978845608028654;
const CUBIC: f32 = 0.044715;

/**
 * GELU is x · ½ (1 + tanh u) with u = √(2/π) (x + 0.044715 x³). Since ½ (1 + tanh u) is the sigmoid of 2u, one
 * exponential does it: this is that sigmoid.
 */
// @ts-ignore: decorator
@inline
function geluSigmoid(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), x);
  const u2 = f32x4.mul(splat(-2 * SQRT_2_OVER_PI), madd(splat(CUBIC), cube, x));
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(u2)));
}

/** s + x s′ for s = sigmoid(2u): s′ = 2 s (1 − s) u′. */
// @ts-ignore: decorator
@inline
function geluDerivative(x: v128): v128 {
  const s = geluSigmoid(x);
  const slope = f32x4.mul(splat(2 * SQRT_2_OVER_PI), madd(splat(3 * CUBIC), f32x4.mul(x, x), splat(1)));
  const rise = f32x4.mul(f32x4.mul(s, f32x4.sub(splat(1), s)), slope);
  return madd(x, rise, s);
}

// @ts-ignore: decorator
@inline
function applyUnary(op: i32, x: v128): v128 {
  switch (op) {
    case 0: return f32x4.neg(x);
    case 1: return f32x4.abs(x);
    case 2: return exp4(x);
    case 3: return log4(x);
    case 4: return f32x4.sqrt(x);
    case 5: return f32x4.div(splat(1), f32x4.sqrt(x));
    case 6: return f32x4.div(splat(1), x);
    case 7: return f32x4.mul(x, x);
    case 8: return tanh4(x);
    case 9: return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))));
    case 10: return f32x4.max(x, splat(0));
    default: return f32x4.mul(x, geluSigmoid(x));
  }
}

/** One row. The switch stands inside the loop: it always goes the same way, so the processor foresees it. */
function unaryRow(op: i32, x: usize, step: usize, y: usize, n: i32): void {
  if (step == 0) {
    const value = applyUnary(op, v128.load32_splat(x));
    for (; n >= 4; n -= 4, y += 16) v128.store(y, value);
    if (n > 0) storeLanes(y, value, n);
    return;
  }
  for (; n >= 4; n -= 4, x += 16, y += 16) v128.store(y, applyUnary(op, v128.load(x)));
  if (n > 0) storeLanes(y, applyUnary(op, v128.load(x)), n);
}

export function unaryTask(task: i32): void {
  const perTask = argI(1);
  const rows = argI(2);
  const n = argI(3);
  const total = argI(4);
  const last = min(rows, (task + 1) * perTask);
  for (let row = task * perTask; row < last; row++) {
    unaryRow(
      argI(0), argP(5) + rowOffset(row, 0), argP(8), argP(11) + ((<usize>row * n) << 2), rowLength(row, n, total),
    );
  }
}

// @ts-ignore: decorator
@inline
function applyBinary(op: i32, a: v128, b: v128): v128 {
  switch (op) {
    case 0: return f32x4.add(a, b);
    case 1: return f32x4.sub(a, b);
    case 2: return f32x4.mul(a, b);
    case 3: return f32x4.div(a, b);
    case 4: return f32x4.max(a, b);
    case 5: return f32x4.min(a, b);
    default: return f32x4.mul(b, geluDerivative(a));
  }
}

function binaryRow(op: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  if (stepA != 0 && stepB != 0) {
    for (; n >= 4; n -= 4, a += 16, b += 16, y += 16) {
      v128.store(y, applyBinary(op, v128.load(a), v128.load(b)));
    }
    if (n > 0) storeLanes(y, applyBinary(op, v128.load(a), v128.load(b)), n);
  } else if (stepA != 0) {
    const right = v128.load32_splat(b);
    for (; n >= 4; n -= 4, a += 16, y += 16) v128.store(y, applyBinary(op, v128.load(a), right));
    if (n > 0) storeLanes(y, applyBinary(op, v128.load(a), right), n);
  } else {
    const left = v128.load32_splat(a);
    if (stepB != 0) {
      for (; n >= 4; n -= 4, b += 16, y += 16) v128.store(y, applyBinary(op, left, v128.load(b)));
      if (n > 0) storeLanes(y, applyBinary(op, left, v128.load(b)), n);
    } else {
      const value = applyBinary(op, left, v128.load32_splat(b));
      for (; n >= 4; n -= 4, y += 16) v128.store(y, value);
      if (n > 0) storeLanes(y, value, n);
    }
  }
}

export function binaryTask(task: i32): void {
  const perTask = argI(1);
  const rows = argI(2);
  const n = argI(3);
  const total = argI(4);
  const last = min(rows, (task + 1) * perTask);
  for (let row = task * perTask; row < last; row++) {
    binaryRow(
      argI(0), argP(5) + rowOffset(row, 0), argP(8), argP(6) + rowOffset(row, 1), argP(9),
      argP(11) + ((<usize>row * n) << 2), rowLength(row, n, total),
    );
  }
}

/** Four bytes, each 0 or not, as four lanes of all zeros or all ones. */
// @ts-ignore: decorator
@inline
function maskOf(bytes: usize, step: usize): v128 {
  const four = step == 0 ? v128.load8_splat(bytes) : v128.load32_zero(bytes);
  const words = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(four));
  return i32x4.ne(words, i32x4.splat(0));
}

/** `condition ? a : b`, the condition in bytes. */
export function whereTask(task: i32): void {
  const perTask = argI(1);
  const rows = argI(2);
  const length = argI(3);
  const total = argI(4);
  const last = min(rows, (task + 1) * perTask);
  const stepC = argP(8);
  const stepA = argP(9) << 2;
  const stepB = argP(10) << 2;
  for (let row = task * perTask; row < last; row++) {
    let c = argP(5) + rowOffset(row, 0);
    let a = argP(6) + rowOffset(row, 1);
    let b = argP(7) + rowOffset(row, 2);
    let y = argP(11) + ((<usize>row * length) << 2);
    for (let n = rowLength(row, length, total); n > 0; n -= 4) {
      const yes = stepA == 0 ? v128.load32_splat(a) : v128.load(a);
      const no = stepB == 0 ? v128.load32_splat(b) : v128.load(b);
      const value = v128.bitselect(yes, no, maskOf(c, stepC));
      if (n < 4) storeLanes(y, value, n);
      else v128.store(y, value);
      c += 4 * stepC;
      a += 4 * stepA;
      b += 4 * stepB;
      y += 16;
    }
  }
}

/** Bytes (bool) or 32-bit integers, row-major, as floats. */
export function castTask(task: i32): void {
  const perTask = argI(1);
  const first = task * perTask;
  let n = min(perTask, argI(4) - first);
  let y = argP(11) + (<usize>first << 2);
  if (argI(0) == 0) {
    let x = argP(5) + <usize>first;
    for (; n > 0; n--, x++, y += 4) store<f32>(y, <f32>load<u8>(x));
  } else {
    let x = argP(5) + (<usize>first << 2);
    for (; n > 0; n--, x += 4, y += 4) store<f32>(y, <f32>load<i32>(x));
  }
}
