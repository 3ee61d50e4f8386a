import { inWords, noMore } from '../../arguments.ts';
import { kernels, listStorage } from '../../backend/dispatch.ts';
import type { ArithmeticOp, BinaryOp, ComparisonOp, UnaryOp } from '../../backend/kernels.ts';
import type { DType } from '../../backend/storage.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { full } from '../create.ts';
import { checkDType, highestType } from '../dtype.ts';
import { broadcastShapes, type Shape, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** A tensor, or a number that is broadcast over the other one. */
export type Operand = Tensor | number;

const INT32_OPERATIONS: ReadonlySet<UnaryOp> = new Set([
  ...(['neg', 'abs', 'square', 'relu', 'floor', 'ceil', 'round', 'trunc', 'sign'] as const),
]);

/** Sums a gradient over the axes along which an operand of this shape was broadcast. */
export function sumToShape(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const extra = g.shape.length - shape.length;
  const axes = g.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && g.shape[axis] !== 1));
  return g.sum(axes, true).reshape(shape);
}

/** A derivative, and what it reads besides the upstream gradient g: the input x, the output y, or neither. */
type UnaryDerivative =
  | { saves?: undefined; backward: (g: Tensor) => Tensor }
  | { saves: 'x'; backward: (g: Tensor, x: Tensor) => Tensor }
  | { saves: 'y'; backward: (g: Tensor, x: unknown, y: Tensor) => Tensor };

const UNARY_BACKWARD: Record<UnaryOp, UnaryDerivative> = {
  neg: { backward: (g) => g.neg() },
  abs: { saves: 'x', backward: (g, x) => g.mul(x.gt(0).float().sub(x.lt(0).float())) },
  exp: { saves: 'y', backward: (g, _x, y) => g.mul(y) },
  log: { saves: 'x', backward: (g, x) => g.div(x) },
  sqrt: { saves: 'y', backward: (g, _x, y) => g.div(y.mul(2)) },
  rsqrt: { saves: 'y', backward: (g, _x, y) => g.mul(y.square().mul(y)).mul(-0.5) },
  reciprocal: { saves: 'y', backward: (g, _x, y) => g.mul(y.square()).neg() },
  square: { saves: 'x', backward: (g, x) => g.mul(x.mul(2)) },
  tanh: { saves: 'y', backward: (g, _x, y) => g.mul(y.square().neg().add(1)) },
  sigmoid: { saves: 'y', backward: (g, _x, y) => g.mul(y).mul(y.neg().add(1)) },
  // Chosen rather than multiplied: nothing passes where y is 0, not even an infinite gradient.
  relu: { saves: 'y', backward: (g, _x, y) => where(y.le(0), 0, g) },
  gelu: { saves: 'x', backward: (g, x) => Tensor.of(kernels.geluBackward(x, g), x.shape) },
  silu: { saves: 'x', backward: (g, x) => Tensor.of(kernels.siluBackward(x, g), x.shape) },
  sin: { saves: 'x', backward: (g, x) => g.mul(x.cos()) },
  cos: { saves: 'x', backward: (g, x) => g.mul(x.sin()).neg() },
  erf: { saves: 'x', backward: (g, x) => g.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI)) },
  log1p: { saves: 'x', backward: (g, x) => g.div(x.add(1)) },
  expm1: { saves: 'y', backward: (g, _x, y) => g.mul(y.add(1)) },
  // Steps: flat wherever they have a slope.
  floor: { backward: (g) => g.zerosLike() },
  ceil: { backward: (g) => g.zerosLike() },
  round: { backward: (g) => g.zerosLike() },
  trunc: { backward: (g) => g.zerosLike() },
  sign: { backward: (g) => g.zerosLike() },
};

export function unary(op: UnaryOp, input: Tensor): Tensor {
  if (op === 'sign' && input.dtype === 'bool') return input;
  if (input.dtype === 'bool' && INT32_OPERATIONS.has(op) && op !== 'square') {
    throw new UserError(`${op}: a bool tensor has no ${op}; use int() or float() first`);
  }
  const keepsType = input.dtype === 'float32' || INT32_OPERATIONS.has(op);
  const x = !keepsType ? input.float() : input.dtype === 'bool' ? input.int() : input;
  const y = Tensor.of(kernels.unary(op, x), x.shape);
  const { saves, backward } = UNARY_BACKWARD[op];
  return record(op, y, [x], [saves === 'x' && x, saves === 'y' && y], (g, ...read) => [backward(g, ...read)]);
}

/** float32 if either is; a plain number is float32 only when it has a fraction or the tensor is float32. */
function commonType(a: Operand, b: Operand): DType {
  const types = [a, b].map((x): DType => {
    if (x instanceof Tensor) return x.dtype;
    return Number.isInteger(x) ? 'int32' : 'float32';
  });
  return highestType(types);
}

/** Both operands with the type and the shape that they have in common. */
function broadcastOperands(name: string, a: Operand, b: Operand, dtype: DType): [Tensor, Tensor, number[]] {
  const [x, y] = [a, b].map((operand) => {
    if (operand instanceof Tensor) return operand.to(dtype);
    const number = full([], operand, { dtype });
    listStorage(number.storage);
    return number;
  });
  const shape = broadcastShapes(x.shape, y.shape, name);
  return [x, y, shape];
}

function checkOperands(op: string, ...operands: Operand[]): void {
  for (const x of operands) {
    if (x instanceof Tensor || typeof x === 'number') continue;
    throw new UserError(`${op}: a tensor or a number is expected, not ${inWords(x)}`);
  }
}

/** Which of the operands the derivative with respect to a, and to b, reads, and the derivative. */
interface Derivative {
  saves: 'a' | 'b' | 'both' | 'none';
  backward: (g: Tensor, a: Tensor, b: Tensor) => Tensor;
}

const PASSES: Derivative = { saves: 'none', backward: (g) => g };
// Where the two are equal each gets half, as in PyTorch; where one is NaN both get all.
const ABOVE: Derivative = { saves: 'both', backward: (g, a, b) => halfWhereEqual(a.lt(b), g, a, b) };
const BELOW: Derivative = { saves: 'both', backward: (g, a, b) => halfWhereEqual(a.gt(b), g, a, b) };

function halfWhereEqual(loses: Tensor, g: Tensor, a: Tensor, b: Tensor): Tensor {
  return where(loses, 0, where(a.eq(b), g.mul(0.5), g));
}

const BINARY_BACKWARD: Record<ArithmeticOp, [toA: Derivative, toB: Derivative]> = {
  add: [PASSES, PASSES],
  sub: [PASSES, { saves: 'none', backward: (g) => g.neg() }],
  mul: [
    { saves: 'b', backward: (g, _a, b) => g.mul(b) },
    { saves: 'a', backward: (g, a) => g.mul(a) },
  ],
  div: [
    { saves: 'b', backward: (g, _a, b) => g.div(b) },
    // Divided twice: the square of a small b would be 0.
    { saves: 'both', backward: (g, a, b) => g.mul(a.div(b).div(b)).neg() },
  ],
  pow: [
    // At exponent 0 the derivative is 0 even where a^(b − 1) is not finite.
    { saves: 'both', backward: (g, a, b) => where(b.eq(0), 0, g.mul(b.mul(a.pow(b.sub(1))))) },
    // At base 0 the power stays 0 as the exponent moves: log(0) must not enter.
    { saves: 'both', backward: (g, a, b) => g.mul(where(both(a.eq(0), b.ge(0)), 0, a.pow(b).mul(a.log()))) },
  ],
  maximum: [ABOVE, { saves: 'both', backward: (g, a, b) => ABOVE.backward(g, b, a) }],
  minimum: [BELOW, { saves: 'both', backward: (g, a, b) => BELOW.backward(g, b, a) }],
};

const reads = (derivative: Derivative, operand: 'a' | 'b') =>
  derivative.saves === operand || derivative.saves === 'both';

function arithmetic(op: ArithmeticOp, a: Operand, b: Operand): Tensor {
  let dtype = commonType(a, b);
  // Only maximum and minimum have a meaning for bool; true division is of floats.
  const isBool = (x: Operand) => x instanceof Tensor && x.dtype === 'bool';
  if (op === 'div') dtype = 'float32';
  else if (op === 'sub' && (isBool(a) || isBool(b))) {
    throw new UserError('sub: a bool tensor has no difference; use ne or logicalNot, or int() first');
  } else if (dtype === 'bool' && op !== 'maximum' && op !== 'minimum') dtype = 'int32';
  const [x, y, shape] = broadcastOperands(op, a, b, dtype);
  if (op === 'pow' && dtype === 'int32') refuseNegativePower(y);
  const out = Tensor.of(kernels.binary(op, x.expand(shape), y.expand(shape)), shape);
  const derivatives = BINARY_BACKWARD[op];
  const shapes = [x, y].map((operand) => operand.requiresGrad && operand.shape);
  const isRead = (operand: 'a' | 'b') =>
    derivatives.some((derivative, i) => shapes[i] && reads(derivative, operand));
  return record(op, out, [x, y], [isRead('a') && x, isRead('b') && y], (g, a, b) =>
    derivatives.map(({ backward }, i) => (shapes[i] ? sumToShape(backward(g, a, b), shapes[i]) : null)),
  );
}

/** x to the power of ±½, computed as a root, as in PyTorch: of −∞ it is NaN, and of −0 it keeps the sign. */
function rootOf(x: Tensor, exponent: 0.5 | -0.5): Tensor {
  const y = Tensor.of(kernels.unary(exponent > 0 ? 'sqrt' : 'rsqrt', x), x.shape);
  return record('pow', y, [x], [x], (g, base) => [g.mul(binary('pow', base, exponent - 1).mul(exponent))]);
}

function refuseNegativePower(exponent: Tensor): void {
  if (!(exponent.toFlatArray() as number[]).some((e) => e < 0)) return;
  throw new UserError('pow: a whole number to a negative power is not whole; use float() first');
}

function compare(op: ComparisonOp, a: Operand, b: Operand): Tensor {
  const [x, y, shape] = broadcastOperands(op, a, b, commonType(a, b));
  return Tensor.of(kernels.binary(op, x.expand(shape), y.expand(shape)), shape);
}

/** `a op b` with broadcasting. Comparisons give bool and have no gradient. */
export function binary(op: BinaryOp, a: Operand, b: Operand): Tensor {
  checkOperands(op, a, b);
  if (op === 'pow' && a instanceof Tensor && (b === 0.5 || b === -0.5)) return rootOf(a.float(), b);
  return op in BINARY_BACKWARD ? arithmetic(op as ArithmeticOp, a, b) : compare(op as ComparisonOp, a, b);
}

/** `condition ? a : b`, elementwise and broadcast, for a bool condition. */
export function where(condition: Tensor, a: Operand, b: Operand, ...more: []): Tensor {
  noMore('where', 3, more);
  checkOperands('where', a, b);
  const choose = requireMask(condition, 'where');
  const [x, y, operands] = broadcastOperands('where', a, b, commonType(a, b));
  const shape = broadcastShapes(choose.shape, operands, 'where');
  const wide = choose.expand(shape);
  const out = Tensor.of(kernels.where(wide, x.expand(shape), y.expand(shape)), shape);
  const [toX, toY] = [x, y].map((operand) => operand.requiresGrad && operand.shape);
  return record('where', out, [x, y], [wide], (g, chosen) => [
    toX ? sumToShape(where(chosen, g, 0), toX) : null,
    toY ? sumToShape(where(chosen, 0, g), toY) : null,
  ]);
}

/** @throws UserError unless it is a bool tensor: of numbers nobody knows which ones stand for true. */
export function requireMask(mask: Tensor, what: string): Tensor {
  if (mask instanceof Tensor && mask.dtype === 'bool') return mask;
  const given = mask instanceof Tensor ? mask.dtype : inWords(mask);
  throw new UserError(`${what}: a bool tensor is expected, not ${given}; compare, or use bool()`);
}

/** x with `value` (a number, or a tensor without axes) wherever the bool mask (broadcast with x) is true. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  requireMask(mask, 'maskedFill');
  checkOperands('maskedFill', value);
  if (value instanceof Tensor) {
    if (value.ndim === 0 && highestType([x.dtype, value.dtype]) === x.dtype) return where(mask, value, x);
    throw new UserError(`maskedFill: a number of ${x.dtype} is expected, not a tensor of ${value.dtype}`);
  }
  if (x.dtype !== 'float32' && !Number.isInteger(value)) {
    throw new UserError(`maskedFill: a tensor of ${x.dtype} cannot hold ${value}; use float() first`);
  }
  broadcastShapes(mask.shape, x.shape, 'maskedFill');
  return where(mask, full([], value, { dtype: x.dtype }), x);
}

type Bound = Operand | null | undefined;

/** x held between `low` and `high`, of which one may be null: numbers, or tensors that broadcast. */
export function clamp(x: Tensor, low: Bound, high?: Bound): Tensor {
  const [least, most] = [low ?? undefined, high ?? undefined];
  if (least === undefined && most === undefined) {
    throw new UserError('clamp: a lower or an upper bound is expected; give null for the other one');
  }
  // One tensor as a bound is maximum or minimum, also in how equal ones share the gradient.
  if (most === undefined && least instanceof Tensor) return binary('maximum', x, least);
  if (least === undefined && most instanceof Tensor) return binary('minimum', x, most);
  if (least instanceof Tensor || most instanceof Tensor)
    return clampBetween(x, asTensor(least!), asTensor(most!));
  let y: Tensor = x.detach();
  if (least !== undefined) y = binary('maximum', y, least);
  if (most !== undefined) y = binary('minimum', y, most);
  // At a bound nothing passes, as in relu at 0 and in PyTorch since 2.15.
  return record('clamp', y, [x], [x], (g, input) => {
    const kept = least === undefined ? g : where(input.gt(least), g, 0);
    return [most === undefined ? kept : where(input.lt(most), kept, 0)];
  });
}

const asTensor = (bound: Operand) => (bound instanceof Tensor ? bound : full([], bound));
const both = (a: Tensor, b: Tensor) => a.minimum(b);

/** Two bounds that get a gradient of their own: what x equals shares it, as in maximum and minimum. */
function clampBetween(x: Tensor, low: Tensor, high: Tensor): Tensor {
  const y = binary('minimum', binary('maximum', x.detach(), low.detach()), high.detach());
  return record('clamp', y, [x, low, high], [x, low, high], gradientsOfClamp);
}

function gradientsOfClamp(g: Tensor, x: Tensor, low: Tensor, high: Tensor): Tensor[] {
  const [half, apart] = [g.mul(0.5), low.lt(high)];
  const [atLow, atHigh] = [both(x.eq(low), apart), both(x.eq(high), apart)];
  const toX = where(x.lt(low).maximum(x.gt(high)), 0, where(atLow.maximum(atHigh), half, g));
  const toLow = where(both(x.lt(low), low.le(high)), g, where(atLow, half, 0));
  const toHigh = where(both(x.gt(high), low.le(high)), g, where(atHigh, half, 0));
  // Where the bounds are the wrong way round clamp gives the upper one.
  const all = [toX, toLow, where(low.gt(high), g, toHigh)];
  return all.map((gradient, i) => sumToShape(gradient, [x, low, high][i].shape));
}

/** Another type. Only float32 carries a gradient. */
export function cast(x: Tensor, dtype: DType): Tensor {
  checkDType(dtype, 'to');
  return x.dtype === dtype ? x : Tensor.of(kernels.cast(x, dtype), x.shape);
}
