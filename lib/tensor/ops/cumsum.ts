import { kernels } from '../../backend/dispatch.ts';
import { record } from '../autograd.ts';
import { resolveAxis } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * Sums up to and including each position of an axis, of x's shape; bool counts as int32. Its derivative sums from the
 * other end.
 */
export function cumsum(input: Tensor, axis: number): Tensor {
  const along = resolveAxis(axis, Math.max(input.ndim, 1), 'cumsum');
  const x = input.dtype === 'bool' ? input.to('int32') : input;
  if (x.ndim === 0) return x.clone();
  return record('cumsum', Tensor.of(kernels.cumsum(x, along, false), x.shape), [x], [], (g) => [
    Tensor.of(kernels.cumsum(g, along, true), g.shape),
  ]);
}
