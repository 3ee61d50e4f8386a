import { kernels } from '../../backend/dispatch.ts';
import { record } from '../autograd.ts';
import { formatShape, resolveAxis } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The kernels work along the last axis: another one is brought there and back as a view. */
function alongLastAxis(x: Tensor, axis: number, what: string, operation: (x: Tensor) => Tensor): Tensor {
  if (x.ndim === 0) return operation(x.reshape(1)).reshape([]);
  const along = resolveAxis(axis, x.ndim, what);
  if (along === x.ndim - 1) return operation(x.float());
  return operation(x.float().transpose(along, -1)).transpose(along, -1);
}

/** exp(x) / Σ exp(x) along an axis. */
export function softmax(input: Tensor, axis = -1): Tensor {
  return alongLastAxis(input, axis, 'softmax', (x) => {
    const y = Tensor.of(kernels.softmax(x), x.shape);
    return record('softmax', y, [x], (g) => [Tensor.of(kernels.softmaxBackward(y, g), x.shape)]);
  });
}

/** log softmax(x) along an axis, without the overflow that the two in turn would have. */
export function logSoftmax(input: Tensor, axis = -1): Tensor {
  return alongLastAxis(input, axis, 'logSoftmax', (x) => {
    const y = Tensor.of(kernels.logSoftmax(x), x.shape);
    return record('logSoftmax', y, [x], (g) => [Tensor.of(kernels.logSoftmaxBackward(y, g), x.shape)]);
  });
}

/**
 * Attention weights in one pass: softmax(scale · scores) where row i of each [t, t] matrix sees the columns
 * 0 … i only. The same as scores.mul(scale).maskedFill(triu mask, −∞).softmax(−1), at half the work and
 * without the two tensors in between.
 * @throws if the last two axes are not equal.
 */
export function causalSoftmax(scores: Tensor, scale: number): Tensor {
  if (scores.ndim < 2 || scores.shape.at(-1) !== scores.shape.at(-2)) {
    throw new Error(`causalSoftmax: scores of [..., t, t] are expected, not ${formatShape(scores.shape)}`);
  }
  const y = Tensor.of(kernels.causalSoftmax(scores, scale), scores.shape);
  return record('causalSoftmax', y, [scores], (g) => [
    Tensor.of(kernels.causalSoftmaxBackward(y, g, scale), scores.shape),
  ]);
}
