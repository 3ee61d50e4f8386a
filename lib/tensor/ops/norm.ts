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
  const size = x.detach().abs();
  const kept = normOfSizes(size, p, reduced); // keepdim form, to broadcast against x
  const out = keepdim ? kept : kept.reshape(reducedShape(x, reduced, false));
  return record('norm', out.detach(), [x], [x, kept], (g, input, norms) => {
    const factor = slope(input.abs(), norms, p, reduced);
    return [input.sign().mul(factor).mul(g.reshape(norms.shape))];
  });
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

/** d norm / d |x|. */
function slope(size: Tensor, norm: Tensor, p: number, axes: readonly number[]): Tensor {
  if (p === 0) return size.zerosLike();
  if (p === 1) return size.zerosLike().add(1);
  if (!Number.isFinite(p)) {
    const reached = size.eq(norm).float();
    return reached.div(reached.sum(axes, true));
  }
  // (|x| / norm)^(p − 1): a norm of 0 has no slope, and |x| = 0 none for p < 1 either.
  const ratio = size.div(where(norm.eq(0), 1, norm));
  return where(size.eq(0), 0, p === 2 ? ratio : ratio.pow(p - 1));
}
