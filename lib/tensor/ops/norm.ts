import { checkFlag, inWords } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import type { Tensor } from '../tensor.ts';
import { where } from './elementwise.ts';
import { type Axes, reducedShape, resolveAxes } from './reduce.ts';

/**
 * The p-norm (Σ |x|ᵖ)^(1/p) over the axes, or over all. p = Infinity is the largest |x|, −Infinity the smallest, and
 * 0 counts what is not 0. Where the norm is not smooth, the gradient is PyTorch's: 0 where the norm is 0, and shared
 * among elements that are equally the largest.
 * @throws UserError unless x is float32
 */
export function norm(x: Tensor, p = 2, axes?: Axes, keepdim = false): Tensor {
  if (x.dtype !== 'float32')
    throw new UserError(`norm: float32 is expected, not ${x.dtype}; use float() first`);
  if (typeof p !== 'number' || Number.isNaN(p)) throw new UserError(`norm: p is a number, not ${inWords(p)}`);
  checkFlag(keepdim, 'keepdim', 'norm');
  const reduced = resolveAxes(x, axes, 'norm');
  if (p < 0 && reduced.some((axis) => x.shape[axis] === 0))
    throw new UserError(`norm: an axis of length 0 has no norm with p = ${p}`);
  const size = x.detach().abs();
  const kept = normOfSizes(size, p, reduced); // keepdim form, to broadcast against x
  const out = keepdim ? kept : kept.reshape(reducedShape(x, reduced, false));
  return record('norm', out.detach(), [x], [x, kept], (g, input, norms) => [
    slope(input, norms, p, reduced, g.reshape(norms.shape)),
  ]);
}

function normOfSizes(size: Tensor, p: number, axes: readonly number[]): Tensor {
  if (p === Infinity) return size.amax(axes, true);
  if (p === -Infinity) return size.amin(axes, true);
  if (p === 0) return size.ne(0).sum(axes, true).float();
  if (p === 1) return size.sum(axes, true);
  if (p === 2) return size.square().sum(axes, true).sqrt();
  return size
    .pow(p)
    .sum(axes, true)
    .pow(1 / p);
}

/**
 * g · d norm / dx = g · sign(x) (|x| / norm)^(p − 1), in the order of PyTorch's own norm_backward, so that it is also where
 * PyTorch is at numbers whose powers are 0 or infinite.
 */
function slope(x: Tensor, norm: Tensor, p: number, axes: readonly number[], g: Tensor): Tensor {
  const none = norm.eq(0);
  const size = x.abs();
  if (p === 0) return x.zerosLike();
  if (p === 1) return x.sign().mul(g);
  if (p === 2) return where(none, 0, x.div(norm)).mul(g);
  if (!Number.isFinite(p)) {
    const reached = size.eq(norm).maximum(size.ne(size)).float();
    return x.sign().mul(g.div(reached.sum(axes, true)).mul(reached));
  }
  if (p < 1) {
    // |x| = 0 has no slope for p < 1.
    const powers = where(size.eq(0), 0, size.pow(p - 1));
    return x
      .sign()
      .mul(powers)
      .mul(g)
      .mul(norm.pow(1 - p));
  }
  const powers = p < 2 ? x.sign().mul(size.pow(p - 1)) : x.mul(size.pow(p - 2));
  return powers.mul(where(none, 0, g.div(norm.pow(p - 1))));
}
