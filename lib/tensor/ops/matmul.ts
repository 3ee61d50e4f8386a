import { kernels } from '../../backend/dispatch.ts';
import { record } from '../autograd.ts';
import { broadcastShapes, formatShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { sumToShape } from './elementwise.ts';

function refuse(a: Tensor, b: Tensor, reason: string): never {
  throw new Error(`matmul: ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit: ${reason}`);
}

/**
 * The matrix product of the last two axes, the leading ones broadcast: [..., m, k] · [..., k, n] → [..., m, n].
 * An operand of one axis is a row on the left and a column on the right, as in torch.matmul.
 * @throws if the inner sizes differ or the leading axes do not broadcast.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) refuse(a, b, 'a scalar is not a matrix');
  const inner = a.shape.at(-1)!;
  const other = b.ndim === 1 ? b.shape[0] : b.shape.at(-2)!;
  if (inner !== other) refuse(a, b, `inner sizes ${inner} and ${other}`);
  if (a.dtype !== b.dtype) refuse(a, b, `${a.dtype} against ${b.dtype}`);
  if (a.dtype !== 'float32') return matmul(a.float(), b.float()).to(a.dtype);
  if (b.ndim === 1) return matmul(a, b.unsqueeze(1)).squeeze(-1);
  if (a.ndim === 1) return matmul(a.unsqueeze(0), b).squeeze(-2);
  return b.ndim === 2 ? matmulByMatrix(a, b) : matmulBatched(a, b);
}

/** [..., m, k] · [k, n]: all rows of a in one product. */
function matmulByMatrix(a: Tensor, b: Tensor): Tensor {
  const [k, n] = b.shape;
  const shape = [...a.shape.slice(0, -1), n];
  const rows = a.reshape([sizeOf(a.shape.slice(0, -1)), k]); // [..., m, k] → [rows, k]
  const out = Tensor.of(kernels.matmul(rows, b), [rows.shape[0], n]);
  const product = record('matmul', out, [rows, b], (g) => [
    rows.requiresGrad ? matmul(g, b.t()) : null, // [rows, n] · [n, k]
    b.requiresGrad ? (target) => target.addProductInPlace(rows.t(), g) : null, // [k, rows] · [rows, n]
  ]);
  return product.reshape(shape);
}

function matmulBatched(a: Tensor, b: Tensor): Tensor {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1)!;
  const what = `matmul of ${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), what);
  const left = a.expand([...batch, m, k]);
  const right = b.expand([...batch, k, n]);
  const out = Tensor.of(kernels.matmul(left, right), [...batch, m, n]);
  return record('matmul', out, [a, b], (g) => [
    a.requiresGrad ? sumToShape(matmul(g, b.transpose(-2, -1)), a.shape) : null,
    b.requiresGrad ? sumToShape(matmul(a.transpose(-2, -1), g), b.shape) : null,
  ]);
}

/**
 * x Wᵀ + b for x [..., in], weight [out, in] and bias [out]: [..., out], with the bias added by the product's
 * own kernel. A frozen weight (`requiresGrad` false) costs nothing in backward: only x's gradient is computed.
 * @throws if the last axis of x is not the weight's `in`.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const [outputs, inputs] = weight.shape;
  if (x.shape.at(-1) !== inputs) {
    throw new Error(
      `linear: an input of ${formatShape(x.shape)} does not fit a weight of ${formatShape(weight.shape)}: ` +
        `its last axis has to be ${inputs}`,
    );
  }
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), inputs]); // [..., in] → [rows, in]
  const out = Tensor.of(kernels.matmul(rows, weight.detach().t(), bias ?? undefined), [
    rows.shape[0],
    outputs,
  ]);
  const y = record('linear', out, bias ? [rows, weight, bias] : [rows, weight], (g) => [
    rows.requiresGrad ? matmul(g, weight) : null, // [rows, out] · [out, in]
    weight.requiresGrad ? (target) => target.addProductInPlace(g.t(), rows) : null, // [out, rows] · [rows, in]
    bias?.requiresGrad ? g.sum(0) : null,
  ]);
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}
