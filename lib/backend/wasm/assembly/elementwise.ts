import { Binary, cast, CastFrom, elementwise, Unary } from './protocol';
import { rowLength, rowOffset, storeLanes, storePair, storeUpToFour } from './rows';
import { exp4, log4, madd, splat, tanh4 } from './simd';

/** Elementwise kernels: operations on rows of up to three operands, see rows.ts. */

/** Times −1, not negated: so NaN keeps its sign. */
// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.mul(x, splat(-1)))));
}

/** s + x s′ for s = sigmoid(x): s′ = s (1 − s). */
// @ts-ignore: decorator
@inline
function siluDerivative(x: v128): v128 {
  const s = sigmoid(x);
  return madd(x, f32x4.mul(s, f32x4.sub(splat(1), s)), s);
}

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
  if (op == Unary.neg) return f32x4.neg(x);
  if (op == Unary.abs) return f32x4.abs(x);
  if (op == Unary.exp) return exp4(x);
  if (op == Unary.log) return log4(x);
  if (op == Unary.sqrt) return f32x4.sqrt(x);
  if (op == Unary.rsqrt) return f32x4.div(splat(1), f32x4.sqrt(x));
  if (op == Unary.reciprocal) return f32x4.div(splat(1), x);
  if (op == Unary.square) return f32x4.mul(x, x);
  if (op == Unary.tanh) return tanh4(x);
  if (op == Unary.sigmoid) return sigmoid(x);
  if (op == Unary.relu) return f32x4.max(x, splat(0));
  if (op == Unary.silu) return f32x4.mul(x, sigmoid(x));
  return f32x4.mul(x, geluSigmoid(x));
}

/** One row, in pairs of vectors: `op` is a constant where this is called, so nothing is decided within the loop. */
// @ts-ignore: decorator
@inline
function unaryRowOf(op: i32, x: usize, y: usize, n: i32): void {
  for (; n >= 8; n -= 8, x += 32, y += 32) storePair(y, applyUnary(op, v128.load(x)), applyUnary(op, v128.load(x, 16)));
  for (; n > 0; n -= 4, x += 16, y += 16) storeUpToFour(y, applyUnary(op, v128.load(x)), n);
}

function repeat(value: v128, y: usize, n: i32): void {
  for (; n > 0; n -= 4, y += 16) storeUpToFour(y, value, n);
}

// A function for each: the compiler would make one loop out of several in one function.
function negRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.neg, x, y, n); }
function absRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.abs, x, y, n); }
function expRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.exp, x, y, n); }
function logRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.log, x, y, n); }
function sqrtRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.sqrt, x, y, n); }
function rsqrtRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.rsqrt, x, y, n); }
function reciprocalRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.reciprocal, x, y, n); }
function squareRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.square, x, y, n); }
function tanhRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.tanh, x, y, n); }
function sigmoidRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.sigmoid, x, y, n); }
function reluRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.relu, x, y, n); }
function siluRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.silu, x, y, n); }
function geluRow(x: usize, y: usize, n: i32): void { unaryRowOf(Unary.gelu, x, y, n); }

function unaryRow(op: i32, x: usize, step: usize, y: usize, n: i32): void {
  if (step == 0) return repeat(applyUnary(op, v128.load32_splat(x)), y, n);
  switch (op) {
    case Unary.neg: return negRow(x, y, n);
    case Unary.abs: return absRow(x, y, n);
    case Unary.exp: return expRow(x, y, n);
    case Unary.log: return logRow(x, y, n);
    case Unary.sqrt: return sqrtRow(x, y, n);
    case Unary.rsqrt: return rsqrtRow(x, y, n);
    case Unary.reciprocal: return reciprocalRow(x, y, n);
    case Unary.square: return squareRow(x, y, n);
    case Unary.tanh: return tanhRow(x, y, n);
    case Unary.sigmoid: return sigmoidRow(x, y, n);
    case Unary.relu: return reluRow(x, y, n);
    case Unary.silu: return siluRow(x, y, n);
    default: return geluRow(x, y, n);
  }
}

export function unaryTask(task: i32): void {
  const perTask = elementwise.rowsPerTask();
  const rows = elementwise.rows();
  const n = elementwise.length();
  const total = elementwise.total();
  const last = min(rows, (task + 1) * perTask);
  for (let row = task * perTask; row < last; row++) {
    unaryRow(
      elementwise.op(), elementwise.operands(0) + rowOffset(row, 0), elementwise.steps(0),
      elementwise.out() + ((<usize>row * n) << 2), rowLength(row, n, total),
    );
  }
}

// @ts-ignore: decorator
@inline
function applyBinary(op: i32, a: v128, b: v128): v128 {
  if (op == Binary.add) return f32x4.add(a, b);
  if (op == Binary.sub) return f32x4.sub(a, b);
  if (op == Binary.mul) return f32x4.mul(a, b);
  if (op == Binary.div) return f32x4.div(a, b);
  if (op == Binary.maximum) return f32x4.max(a, b);
  if (op == Binary.minimum) return f32x4.min(a, b);
  if (op == Binary.siluBackward) return f32x4.mul(b, siluDerivative(a));
  return f32x4.mul(b, geluDerivative(a));
}

/** One row: both operands in steps of one number, or one of them the same number all along. */
// @ts-ignore: decorator
@inline
function binaryRowOf(op: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  if (stepA != 0 && stepB != 0) {
    for (; n >= 8; n -= 8, a += 32, b += 32, y += 32) {
      storePair(y, applyBinary(op, v128.load(a), v128.load(b)), applyBinary(op, v128.load(a, 16), v128.load(b, 16)));
    }
    for (; n > 0; n -= 4, a += 16, b += 16, y += 16) {
      storeUpToFour(y, applyBinary(op, v128.load(a), v128.load(b)), n);
    }
  } else if (stepA != 0) {
    const right = v128.load32_splat(b);
    for (; n >= 8; n -= 8, a += 32, y += 32) {
      storePair(y, applyBinary(op, v128.load(a), right), applyBinary(op, v128.load(a, 16), right));
    }
    for (; n > 0; n -= 4, a += 16, y += 16) storeUpToFour(y, applyBinary(op, v128.load(a), right), n);
  } else {
    const left = v128.load32_splat(a);
    for (; n >= 8; n -= 8, b += 32, y += 32) {
      storePair(y, applyBinary(op, left, v128.load(b)), applyBinary(op, left, v128.load(b, 16)));
    }
    for (; n > 0; n -= 4, b += 16, y += 16) storeUpToFour(y, applyBinary(op, left, v128.load(b)), n);
  }
}

function addRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.add, a, stepA, b, stepB, y, n);
}
function subRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.sub, a, stepA, b, stepB, y, n);
}
function mulRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.mul, a, stepA, b, stepB, y, n);
}
function divRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.div, a, stepA, b, stepB, y, n);
}
function maximumRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.maximum, a, stepA, b, stepB, y, n);
}
function minimumRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.minimum, a, stepA, b, stepB, y, n);
}
function siluBackwardRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.siluBackward, a, stepA, b, stepB, y, n);
}
function geluBackwardRow(a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  binaryRowOf(Binary.geluBackward, a, stepA, b, stepB, y, n);
}

function binaryRow(op: i32, a: usize, stepA: usize, b: usize, stepB: usize, y: usize, n: i32): void {
  if (stepA == 0 && stepB == 0) return repeat(applyBinary(op, v128.load32_splat(a), v128.load32_splat(b)), y, n);
  switch (op) {
    case Binary.add: return addRow(a, stepA, b, stepB, y, n);
    case Binary.sub: return subRow(a, stepA, b, stepB, y, n);
    case Binary.mul: return mulRow(a, stepA, b, stepB, y, n);
    case Binary.div: return divRow(a, stepA, b, stepB, y, n);
    case Binary.maximum: return maximumRow(a, stepA, b, stepB, y, n);
    case Binary.minimum: return minimumRow(a, stepA, b, stepB, y, n);
    case Binary.siluBackward: return siluBackwardRow(a, stepA, b, stepB, y, n);
    default: return geluBackwardRow(a, stepA, b, stepB, y, n);
  }
}

export function binaryTask(task: i32): void {
  const perTask = elementwise.rowsPerTask();
  const rows = elementwise.rows();
  const n = elementwise.length();
  const total = elementwise.total();
  const last = min(rows, (task + 1) * perTask);
  for (let row = task * perTask; row < last; row++) {
    binaryRow(
      elementwise.op(), elementwise.operands(0) + rowOffset(row, 0), elementwise.steps(0),
      elementwise.operands(1) + rowOffset(row, 1), elementwise.steps(1),
      elementwise.out() + ((<usize>row * n) << 2), rowLength(row, n, total),
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
  const perTask = elementwise.rowsPerTask();
  const rows = elementwise.rows();
  const length = elementwise.length();
  const total = elementwise.total();
  const last = min(rows, (task + 1) * perTask);
  const stepC = elementwise.steps(0);
  const stepA = elementwise.steps(1) << 2;
  const stepB = elementwise.steps(2) << 2;
  for (let row = task * perTask; row < last; row++) {
    let c = elementwise.operands(0) + rowOffset(row, 0);
    let a = elementwise.operands(1) + rowOffset(row, 1);
    let b = elementwise.operands(2) + rowOffset(row, 2);
    let y = elementwise.out() + ((<usize>row * length) << 2);
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
  const perTask = cast.elementsPerTask();
  const first = task * perTask;
  let n = min(perTask, cast.total() - first);
  let y = cast.out() + (<usize>first << 2);
  if (cast.from() == CastFrom.bool) {
    let x = cast.x() + <usize>first;
    for (; n > 0; n--, x++, y += 4) store<f32>(y, <f32>load<u8>(x));
  } else {
    let x = cast.x() + (<usize>first << 2);
    for (; n > 0; n--, x += 4, y += 4) store<f32>(y, <f32>load<i32>(x));
  }
}
