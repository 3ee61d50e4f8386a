import { type BinaryOp, COMPARISON_OPS, type Kernels, type Strided, type UnaryOp } from '../kernels.ts';
import { type DType, type ElementType, Storage } from '../storage.ts';
import { copyElements, forEachElement, isContiguous, newFloats, rowMajor, sizeOf } from '../strided.ts';

const TWICE_SQRT_2_OVER_PI = 2 * Math.sqrt(2 / Math.PI);

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * GELU in its tanh form (Hendrycks & Gimpel 2016), the one that GPT-2 was trained with:
 * ½ x (1 + tanh u) with u = √(2/π) (x + 0.044715 x³). Written as x σ(2u), which is the same.
 */
function gelu(x: number): number {
  return x * sigmoid(TWICE_SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
}

function geluDerivative(x: number): number {
  const s = sigmoid(TWICE_SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
  return s + x * s * (1 - s) * TWICE_SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
}

/** SiLU (Elfwing et al. 2017), also called Swish. */
function silu(x: number): number {
  return x * sigmoid(x);
}

function siluDerivative(x: number): number {
  const s = sigmoid(x);
  return s + x * s * (1 - s);
}

/** 2 / √π ∫₀ˣ e^(−t²) dt, by a series whose terms all have one sign: e^(−x²) Σ 2ⁿ x^(2n+1) / (2n + 1)!!. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** To the nearest whole number, and from halfway to the even one. */
function roundToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

const UNARY: Record<UnaryOp, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  square: (x) => x * x,
  tanh: Math.tanh,
  sigmoid,
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  gelu,
  silu,
  sin: Math.sin,
  cos: Math.cos,
  erf,
  log1p: Math.log1p,
  expm1: Math.expm1,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundToEven,
  trunc: Math.trunc,
  sign: (x) => +(x > 0) - +(x < 0),
};

const BINARY: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  // C's pow, as in PyTorch: 1 to any power is 1, and so is −1 to the power of ±∞. JavaScript makes NaN of both.
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  maximum: Math.max,
  minimum: Math.min,
  eq: (a, b) => +(a === b),
  ne: (a, b) => +(a !== b),
  lt: (a, b) => +(a < b),
  le: (a, b) => +(a <= b),
  gt: (a, b) => +(a > b),
  ge: (a, b) => +(a >= b),
};

const COMPARISONS: ReadonlySet<BinaryOp> = new Set(COMPARISON_OPS);

/** The type of `a op b` for two operands of the same type. */
function resultType(op: BinaryOp, operands: ElementType): ElementType {
  return COMPARISONS.has(op) ? 'bool' : operands;
}

function unary(op: UnaryOp, x: Strided): Storage {
  const f = op === 'square' && x.storage.dtype === 'int32' ? (n: number) => Math.imul(n, n) : UNARY[op];
  const input = rowMajor(x);
  const out = Storage.empty(x.storage.dtype, input.length);
  const y = out.data;
  for (let i = 0; i < input.length; i++) y[i] = f(input[i]);
  return out;
}

function timesDerivative(derivative: (x: number) => number, x: Strided, g: Strided): Storage {
  const input = rowMajor(x);
  const upstream = rowMajor(g);
  const { storage, data } = newFloats(input.length);
  for (let i = 0; i < input.length; i++) data[i] = upstream[i] * derivative(input[i]);
  return storage;
}

const geluBackward = (x: Strided, g: Strided) => timesDerivative(geluDerivative, x, g);
const siluBackward = (x: Strided, g: Strided) => timesDerivative(siluDerivative, x, g);

function binary(op: BinaryOp, a: Strided, b: Strided): Storage {
  // A product of whole numbers as int32 has it: past 2⁵³ a double would lose its last digits.
  const f = op === 'mul' && a.storage.dtype === 'int32' ? Math.imul : BINARY[op];
  const out = Storage.empty(resultType(op, a.storage.dtype), sizeOf(a.shape));
  const y = out.data;
  if (isContiguous(a) && isContiguous(b)) {
    const left = rowMajor(a);
    const right = rowMajor(b);
    for (let i = 0; i < y.length; i++) y[i] = f(left[i], right[i]);
    return out;
  }
  const left = a.storage.data;
  const right = b.storage.data;
  let i = 0;
  forEachElement([a, b], (at) => {
    y[i++] = f(left[at[0]], right[at[1]]);
  });
  return out;
}

function where(condition: Strided, a: Strided, b: Strided): Storage {
  const choose = condition.storage.data;
  const yes = a.storage.data;
  const no = b.storage.data;
  const out = Storage.empty(a.storage.dtype, sizeOf(condition.shape));
  const y = out.data;
  let i = 0;
  forEachElement([condition, a, b], (at) => {
    y[i++] = choose[at[0]] ? yes[at[1]] : no[at[2]];
  });
  return out;
}

function contiguous(x: Strided): Storage {
  const out = Storage.empty(x.storage.dtype, sizeOf(x.shape));
  copyElements(x, out.data);
  return out;
}

function copyInto(target: Strided, source: Strided): true {
  const from = source.storage.data;
  const to = target.storage.writable;
  if (isContiguous(target)) copyElements(source, to, target.offset);
  else
    forEachElement([target, source], (at) => {
      to[at[0]] = from[at[1]];
    });
  return true;
}

function addInto(target: Strided, source: Strided): true {
  const from = source.storage.data;
  const to = target.storage.writable;
  if (isContiguous(target) && isContiguous(source)) {
    const count = sizeOf(target.shape);
    for (let i = 0; i < count; i++) to[target.offset + i] += from[source.offset + i];
    return true;
  }
  forEachElement([target, source], (at) => {
    to[at[0]] += from[at[1]];
  });
  return true;
}

function cast(x: Strided, dtype: DType): Storage {
  const input = rowMajor(x);
  const out = Storage.empty(dtype, input.length);
  const y = out.data;
  if (dtype === 'bool') for (let i = 0; i < y.length; i++) y[i] = input[i] === 0 ? 0 : 1;
  else if (dtype === 'int32') for (let i = 0; i < y.length; i++) y[i] = wholeNumber(input[i]);
  else for (let i = 0; i < y.length; i++) y[i] = input[i];
  return out;
}

/** Towards zero; what int32 cannot hold, NaN too, is its lowest number, as PyTorch's processors have it. */
function wholeNumber(x: number): number {
  return x > -(2 ** 31) - 1 && x < 2 ** 31 ? x : -(2 ** 31);
}

export const elementwiseKernels: Pick<
  Kernels,
  | 'unary'
  | 'geluBackward'
  | 'siluBackward'
  | 'binary'
  | 'where'
  | 'contiguous'
  | 'copyInto'
  | 'addInto'
  | 'cast'
> = { unary, geluBackward, siluBackward, binary, where, contiguous, copyInto, addInto, cast };
