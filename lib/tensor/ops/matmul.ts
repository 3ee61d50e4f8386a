import { noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { zeros } from '../create.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { sumToShape } from './elementwise.ts';

function refuse(a: Tensor, b: Tensor, reason: string): never {
  throw new UserError(`matmul: ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit: ${reason}`);
}

/**
 * The matrix product of the last two axes, the leading ones broadcast: [..., m, k] · [..., k, n] → [..., m, n].
 * An operand of one axis is a row on the left and a column on the right, as in torch.matmul.
 * @throws if the inner sizes differ or the leading axes do not broadcast.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  requireTensors('matmul', a, b);
  if (a.ndim === 0 || b.ndim === 0) refuse(a, b, 'a scalar is not a matrix');
  const inner = a.shape.at(-1)!;
  const other = b.ndim === 1 ? b.shape[0] : b.shape.at(-2)!;
  if (inner !== other) refuse(a, b, `inner sizes ${inner} and ${other}`);
  if (a.dtype !== b.dtype) refuse(a, b, `${a.dtype} against ${b.dtype}; use float() on one`);
  if (a.dtype === 'bool') refuse(a, b, 'bool has no products; use int() or float()');
  if (b.ndim === 1) return matmul(a, b.unsqueeze(1)).squeeze(-1);
  if (a.ndim === 1) return matmul(a.unsqueeze(0), b).squeeze(-2);
  if (a.dtype === 'int32') return matmulOfIntegers(a, b);
  return b.ndim === 2 ? matmulByMatrix(a, b) : matmulBatched(a, b);
}

/** Whole numbers, exactly, one k after the other: float32 could not hold sums above 2²⁴. */
function matmulOfIntegers(a: Tensor, b: Tensor): Tensor {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  let out = zeros([...batch, a.shape.at(-2)!, b.shape.at(-1)!], { dtype: 'int32' });
  for (let k = 0; k < a.shape.at(-1)!; k++) {
    out = out.add(a.narrow(-1, k, 1).mul(b.narrow(-2, k, 1))); // [..., m, 1] · [..., 1, n]
  }
  return out;
}

/** Every product of an element of a [m] and one of b [n]: [m, n]. @throws UserError unless both have one axis */
export function outer(a: Tensor, b: Tensor, ...more: []): Tensor {
  noMore('outer', 2, more);
  requireTensors('outer', a, b);
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new UserError(
      `outer: two tensors of one axis are expected, not ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return a.unsqueeze(1).mul(b);
}

/** [..., m, k] · [k, n]: all rows of a in one product. */
function matmulByMatrix(a: Tensor, b: Tensor): Tensor {
  const [k, n] = b.shape;
  const shape = [...a.shape.slice(0, -1), n];
  const rows = a.reshape([sizeOf(a.shape.slice(0, -1)), k]); // [..., m, k] → [rows, k]
  const out = Tensor.of(kernels.matmul(rows, b), [rows.shape[0], n]);
  const [toA, toB] = [rows.requiresGrad, b.requiresGrad];
  const product = record('matmul', out, [rows, b], [toB && rows, toA && b], (g, left, right) => [
    toA ? matmul(g, right.t()) : null, // [rows, n] · [n, k]
    toB ? (target) => target.addProductInPlace(left.t(), g) : null, // [k, rows] · [rows, n]
  ]);
  return product.reshape(shape);
}

/** What the leading axes broadcast to. */
function commonBatch(a: Tensor, b: Tensor): Shape {
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (sameShape(left, right)) return left;
  return broadcastShapes(left, right, `matmul of ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
}

function matmulBatched(a: Tensor, b: Tensor): Tensor {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1)!;
  const batch = commonBatch(a, b);
  const product = kernels.matmul(a.expand([...batch, m, k]), b.expand([...batch, k, n]));
  const out = Tensor.of(product, [...batch, m, n]);
  const [toA, toB] = [a, b].map((x) => x.requiresGrad && x.shape);
  return record('matmul', out, [a, b], [toB && a, toA && b], (g, left, right) => [
    toA ? sumToShape(matmul(g, right.transpose(-2, -1)), toA) : null,
    toB ? sumToShape(matmul(left.transpose(-2, -1), g), toB) : null,
  ]);
}

/**
 * x Wᵀ + b for x [..., in], weight [out, in] and bias [out]: [..., out], with the bias added by the product's
 * own kernel. A frozen weight (`requiresGrad` false) costs nothing in backward: only x's gradient is computed.
 * @throws UserError if the last axis of x is not the weight's `in`, the bias not of length `out`, or their types differ.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null, ...more: []): Tensor {
  noMore('linear', 3, more);
  requireTensors('linear', x, weight);
  requireTensorIfGiven('linear: bias', bias);
  // A weight of one axis is a single output, whose axis goes. PyTorch's product of matrices wants a matrix there.
  if (weight.ndim === 1 && bias && (x.ndim === 2 || bias.ndim > 0)) {
    throw new UserError(
      `linear: with a bias of ${formatShape(bias.shape)} a weight of [out, in] is expected, not ${formatShape(weight.shape)}`,
    );
  }
  if (weight.ndim === 1) return linear(x, weight.unsqueeze(0), bias?.unsqueeze(-1)).squeeze(-1);
  checkLinear(x, weight, bias ?? undefined);
  const [outputs, inputs] = weight.shape;
  if (x.dtype !== 'float32') {
    const product = matmul(x, weight.t());
    return bias ? product.add(bias) : product;
  }
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), inputs]); // [..., in] → [rows, in]
  const out = Tensor.of(kernels.matmul(rows, weight.detach().t(), bias ?? undefined), [
    rows.shape[0],
    outputs,
  ]);
  const [toX, toWeight, toBias] = [rows.requiresGrad, weight.requiresGrad, bias?.requiresGrad];
  const operands = bias ? [rows, weight, bias] : [rows, weight];
  const y = record('linear', out, operands, [toWeight && rows, toX && weight], (g, xs, w) => [
    toX ? matmul(g, w) : null, // [rows, out] · [out, in]
    toWeight ? (target) => target.addProductInPlace(g.t(), xs) : null, // [out, rows] · [rows, in]
    toBias ? g.sum(0) : null,
  ]);
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}

function checkLinear(x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
  if (weight.ndim !== 2) {
    throw new UserError(`linear: a weight of [out, in] is expected, not ${formatShape(weight.shape)}`);
  }
  const [outputs, inputs] = weight.shape;
  if (x.shape.at(-1) !== inputs) {
    throw new UserError(
      `linear: an input of ${formatShape(x.shape)} does not fit a weight of ${formatShape(weight.shape)}: ` +
        `its last axis has to be ${inputs}`,
    );
  }
  if (bias && !sameShape(bias.shape, [outputs])) {
    throw new UserError(`linear: a bias of [${outputs}] is expected, not ${formatShape(bias.shape)}`);
  }
  for (const [name, t] of Object.entries({ weight, bias })) {
    if (!t || t.dtype === x.dtype) continue;
    throw new UserError(`linear: the input is ${x.dtype}, the ${name} ${t.dtype}; use float() on one`);
  }
}
