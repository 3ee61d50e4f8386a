import { kernels } from '../../backend/dispatch.ts';
import type { ReduceOp } from '../../backend/kernels.ts';
import { named, record } from '../autograd.ts';
import { resolveAxis, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** One axis, several, or (undefined) all of them. */
export type Axes = number | readonly number[] | undefined;

function resolveAxes(x: Tensor, axes: Axes, what: string): number[] {
  if (axes === undefined) return x.shape.map((_, axis) => axis);
  const list = typeof axes === 'number' ? [axes] : axes;
  // A tensor without axes may be reduced along its first or last, as in PyTorch.
  const resolved = list.map((axis) => resolveAxis(axis, Math.max(x.ndim, 1), what));
  return [...new Set(resolved)].filter((axis) => axis < x.ndim);
}

/** The shape with the reduced axes gone, or kept with length 1. */
function reducedShape(x: Tensor, axes: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return x.shape.filter((_, axis) => !axes.includes(axis));
}

function reduce(op: ReduceOp, x: Tensor, axes: readonly number[], keepdim: boolean): Tensor {
  return Tensor.of(kernels.reduce(op, x, axes), reducedShape(x, axes, keepdim));
}

/** Sum over the axes; bool counts as int32. */
export function sum(input: Tensor, axes?: Axes, keepdim = false): Tensor {
  const x = input.dtype === 'bool' ? input.to('int32') : input;
  const reduced = resolveAxes(x, axes, 'sum');
  const kept = reducedShape(x, reduced, true);
  return record('sum', reduce('sum', x, reduced, keepdim), [x], (g) => [g.reshape(kept).expand(x.shape)]);
}

export function mean(x: Tensor, axes?: Axes, keepdim = false): Tensor {
  const count = sizeOf(resolveAxes(x, axes, 'mean').map((axis) => x.shape[axis]));
  // PyTorch numbers the forms of an operation: with axes it prints MeanBackward1.
  return named(axes === undefined ? 'mean' : 'mean1', sum(x.float(), axes, keepdim).div(count));
}

/**
 * Variance over the axes. `unbiased` (the default, as in PyTorch) divides by n − 1 (Bessel's correction),
 * otherwise by n, as layer norm does.
 */
export function variance(
  x: Tensor,
  axes?: Axes,
  options: { unbiased?: boolean; keepdim?: boolean } = {},
): Tensor {
  const { unbiased = true, keepdim = false } = options;
  const count = sizeOf(resolveAxes(x, axes, 'var').map((axis) => x.shape[axis]));
  const deviation = x.sub(mean(x, axes, true));
  return named('var', sum(deviation.square(), axes, keepdim).div(unbiased ? count - 1 : count));
}

function refuseEmpty(x: Tensor, axes: readonly number[], what: string): void {
  if (axes.some((axis) => x.shape[axis] === 0) || (x.ndim === 0 && x.size === 0)) {
    throw new Error(
      `${what}: an axis of length 0 has no ${what === 'min' || what === 'argmin' ? 'smallest' : 'largest'} element`,
    );
  }
}

/** Largest or smallest over several axes. Equal ones share the gradient, as in torch.amax. */
export function extreme(op: 'max' | 'min', x: Tensor, axes?: Axes, keepdim = false): Tensor {
  const reduced = resolveAxes(x, axes, op);
  refuseEmpty(x, reduced, op);
  const kept = reducedShape(x, reduced, true);
  const out = reduce(op, x, reduced, keepdim);
  return record(op, out, [x], (g) => {
    const winners = x.eq(out.detach().reshape(kept)).float();
    const shares = winners.div(winners.sum(reduced, true));
    return [shares.mul(g.reshape(kept))];
  });
}

/** Position (int32) of the first largest or smallest element, along one axis or in the flattened tensor. */
export function argExtreme(op: 'max' | 'min', x: Tensor, axis?: number, keepdim = false): Tensor {
  if (axis === undefined || x.ndim === 0) return argExtreme(op, x.flatten(), 0);
  const along = resolveAxis(axis, x.ndim, `arg${op}`);
  refuseEmpty(x, [along], `arg${op}`);
  return Tensor.of(kernels.argReduce(op, x, along), reducedShape(x, [along], keepdim));
}

/** Largest or smallest along one axis and where: the gradient goes to that element alone, as in torch.max. */
export function extremeAlong(
  op: 'max' | 'min',
  x: Tensor,
  axis: number,
  keepdim = false,
): { values: Tensor; indices: Tensor } {
  const indices = argExtreme(op, x, axis, true);
  const values = x.gather(axis, indices);
  if (keepdim) return { values, indices };
  return { values: values.squeeze(axis), indices: indices.squeeze(axis) };
}
