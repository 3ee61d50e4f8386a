import { checkNumber, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { requireTensors } from '../requireTensors.ts';
import { formatShape, resolveAxisOrScalar } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The kernels work along the last axis: another one is brought there and back as a view. */
function alongLastAxis(x: Tensor, axis: number, what: string, operation: (x: Tensor) => Tensor): Tensor {
  requireTensors(what, x);
  const along = resolveAxisOrScalar(axis, x.ndim, what);
  if (x.ndim === 0) return operation(x.float().reshape(1)).reshape([]);
  if (along === x.ndim - 1) return operation(x.float());
  return operation(x.float().transpose(along, -1)).transpose(along, -1);
}

/** exp(x) / Σ exp(x) along an axis. */
export function softmax(input: Tensor, axis = -1, ...more: []): Tensor {
  noMore('softmax', 2, more);
  return alongLastAxis(input, axis, 'softmax', (x) => {
    const y = Tensor.of(kernels.softmax(x), x.shape);
    return record('softmax', y, [x], [y], (g, out) => [
      Tensor.of(kernels.softmaxBackward(out, g), out.shape),
    ]);
  });
}

/** log softmax(x) along an axis, without the overflow that the two in turn would have. */
export function logSoftmax(input: Tensor, axis = -1, ...more: []): Tensor {
  noMore('logSoftmax', 2, more);
  return alongLastAxis(input, axis, 'logSoftmax', (x) => {
    const y = Tensor.of(kernels.logSoftmax(x), x.shape);
    return record('logSoftmax', y, [x], [y], (g, out) => [
      Tensor.of(kernels.logSoftmaxBackward(out, g), out.shape),
    ]);
  });
}

/**
 * Attention weights in one pass: softmax(scale · scores), where the t rows of each [t, T] matrix are the queries of the last t
 * of T tokens: row i sees the columns 0 … T − t + i only. With t = T the same as
 * scores.mul(scale).maskedFill(triu mask, −∞).softmax(−1), at half the work and without the two tensors in between.
 * @throws UserError if there are more rows than columns.
 */
export function causalSoftmax(input: Tensor, scale: number, ...more: []): Tensor {
  noMore('causalSoftmax', 2, more);
  requireTensors('causalSoftmax', input);
  checkNumber(scale, 'the scale', 'causalSoftmax');
  const [rows, columns] = input.shape.slice(-2);
  if (input.ndim < 2 || rows > columns) {
    throw new UserError(
      `causalSoftmax: scores of [..., t, T] with t ≤ T are expected, not ${formatShape(input.shape)}`,
    );
  }
  // The kernels take the largest number off first, which a negative scale would make the smallest.
  if (scale < 0) return causalSoftmax(input.neg(), -scale);
  const x = input.float();
  const y = Tensor.of(kernels.causalSoftmax(x, scale), x.shape);
  return record('causalSoftmax', y, [x], [y], (g, out) => [
    Tensor.of(kernels.causalSoftmaxBackward(out, g, scale), out.shape),
  ]);
}
