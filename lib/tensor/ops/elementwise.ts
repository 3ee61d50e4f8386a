import { kernels } from '../../backend/dispatch.ts';
import type { ArithmeticOp, BinaryOp, ComparisonOp, UnaryOp } from '../../backend/kernels.ts';
import type { DType } from '../../backend/storage.ts';
import { record } from '../autograd.ts';
import { full } from '../create.ts';
import { broadcastShapes, type Shape, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

export type Operand = Tensor | number;

const INT32_OPERATIONS: ReadonlySet<UnaryOp> = new Set(['neg', 'abs', 'square']);

/** Sums a gradient over the axes along which an operand of this shape was broadcast. */
export function sumToShape(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const extra = g.shape.length - shape.length;
  const axes = g.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && g.shape[axis] !== 1));
  return g.sum(axes, true).reshape(shape);
}

// Derivatives of the unary operations, from the input x, the output y and the upstream gradient g.
const UNARY_BACKWARD: Record<UnaryOp, (g: Tensor, x: Tensor, y: Tensor) => Tensor> = {
  neg: (g) => g.neg(),
  abs: (g, x) => g.mul(x.gt(0).float().sub(x.lt(0).float())),
  exp: (g, _x, y) => g.mul(y),
  log: (g, x) => g.div(x),
  sqrt: (g, _x, y) => g.div(y.mul(2)),
  rsqrt: (g, x, y) => g.mul(y).div(x).mul(-0.5),
  reciprocal: (g, _x, y) => g.mul(y.square()).neg(),
  square: (g, x) => g.mul(x).mul(2),
  tanh: (g, _x, y) => g.mul(y.square().neg().add(1)),
  sigmoid: (g, _x, y) => g.mul(y).mul(y.neg().add(1)),
  relu: (g, x) => g.mul(x.gt(0).float()),
  gelu: (g, x) => Tensor.of(kernels.geluBackward(x, g), x.shape),
  sin: (g, x) => g.mul(x.cos()),
  cos: (g, x) => g.mul(x.sin()).neg(),
};

export function unary(op: UnaryOp, input: Tensor): Tensor {
  const x = input.dtype === 'float32' || INT32_OPERATIONS.has(op) ? input : input.float();
  const y = Tensor.of(kernels.unary(op, x), x.shape);
  return record(op, y, [x], (g) => [UNARY_BACKWARD[op](g, x, y)]);
}

/** float32 if either is; a plain number is float32 only when it has a fraction or the tensor is float32. */
function commonType(a: Operand, b: Operand): DType {
  const types = [a, b].map((x): DType => {
    if (x instanceof Tensor) return x.dtype;
    return Number.isInteger(x) ? 'bool' : 'float32';
  });
  if (types.includes('float32')) return 'float32';
  if (types.includes('int32') || typeof a === 'number' || typeof b === 'number') return 'int32';
  return 'bool';
}

/** Both operands with the type and the shape that they have in common. */
function broadcastOperands(name: string, a: Operand, b: Operand, dtype: DType): [Tensor, Tensor, number[]] {
  const [x, y] = [a, b].map((operand) =>
    operand instanceof Tensor ? operand.to(dtype) : full([], operand, { dtype }),
  );
  const shape = broadcastShapes(x.shape, y.shape, name);
  return [x, y, shape];
}

// Derivatives of the arithmetic operations with respect to a and to b.
const BINARY_BACKWARD: Record<
  ArithmeticOp,
  [(g: Tensor, a: Tensor, b: Tensor) => Tensor, (g: Tensor, a: Tensor, b: Tensor) => Tensor]
> = {
  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => g.neg()],
  mul: [(g, _a, b) => g.mul(b), (g, a) => g.mul(a)],
  div: [(g, _a, b) => g.div(b), (g, a, b) => g.mul(a).div(b.square()).neg()],
  pow: [
    // At exponent 0 the derivative is 0 even where a^(b − 1) is not finite.
    (g, a, b) => g.mul(where(b.eq(0), 0, b.mul(a.pow(b.sub(1))))),
    // At base 0 the power stays 0 as the exponent moves: log(0) must not enter.
    (g, a, b) => g.mul(where(a.eq(0), 0, a.pow(b).mul(a.log()))),
  ],
  // Where the two are equal each gets half, as in PyTorch.
  maximum: [(g, a, b) => g.mul(shareOfWinner(a, b)), (g, a, b) => g.mul(shareOfWinner(b, a))],
  minimum: [(g, a, b) => g.mul(shareOfWinner(b, a)), (g, a, b) => g.mul(shareOfWinner(a, b))],
};

/** 1 where a is above b, ½ where they are equal, 0 elsewhere. */
function shareOfWinner(a: Tensor, b: Tensor): Tensor {
  return a.gt(b).float().add(a.eq(b).float().mul(0.5));
}

function arithmetic(op: ArithmeticOp, a: Operand, b: Operand): Tensor {
  let dtype = commonType(a, b);
  // Only maximum and minimum have a meaning for bool; true division is of floats.
  if (op === 'div') dtype = 'float32';
  else if (dtype === 'bool' && op !== 'maximum' && op !== 'minimum') dtype = 'int32';
  const [x, y, shape] = broadcastOperands(op, a, b, dtype);
  const out = Tensor.of(kernels.binary(op, x.expand(shape), y.expand(shape)), shape);
  const [toA, toB] = BINARY_BACKWARD[op];
  return record(op, out, [x, y], (g) => [
    x.requiresGrad ? sumToShape(toA(g, x, y), x.shape) : null,
    y.requiresGrad ? sumToShape(toB(g, x, y), y.shape) : null,
  ]);
}

function compare(op: ComparisonOp, a: Operand, b: Operand): Tensor {
  const [x, y, shape] = broadcastOperands(op, a, b, commonType(a, b));
  return Tensor.of(kernels.binary(op, x.expand(shape), y.expand(shape)), shape);
}

/** `a op b` with broadcasting. Comparisons give bool and have no gradient. */
export function binary(op: BinaryOp, a: Operand, b: Operand): Tensor {
  return op in BINARY_BACKWARD ? arithmetic(op as ArithmeticOp, a, b) : compare(op as ComparisonOp, a, b);
}

/** `condition ? a : b`, elementwise and broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const [x, y, operands] = broadcastOperands('where', a, b, commonTypeOfChoices(a, b));
  const shape = broadcastShapes(condition.shape, operands, 'where');
  const choose = condition.to('bool').expand(shape);
  const out = Tensor.of(kernels.where(choose, x.expand(shape), y.expand(shape)), shape);
  return record('where', out, [x, y], (g) => [
    x.requiresGrad ? sumToShape(where(choose, g, 0), x.shape) : null,
    y.requiresGrad ? sumToShape(where(choose, 0, g), y.shape) : null,
  ]);
}

/** Two plain numbers to choose from are float32, as everything not told otherwise. */
function commonTypeOfChoices(a: Operand, b: Operand): DType {
  return typeof a === 'number' && typeof b === 'number' ? 'float32' : commonType(a, b);
}

/** x with `value` wherever the mask (broadcast to x) is true. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  broadcastShapes(mask.shape, x.shape, 'maskedFill');
  return where(mask, full([], value, { dtype: x.dtype }), x);
}

/** x held between `low` and `high`. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  const y = binary('minimum', binary('maximum', x.detach(), low), high);
  if (!x.requiresGrad) return y;
  return record('clamp', y, [x], (g) => [g.mul(x.ge(low).float()).mul(x.le(high).float())]);
}

/** Another type. Only float32 carries a gradient. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : Tensor.of(kernels.cast(x, dtype), x.shape);
}
