import { checkFlag, checkNumber, checkOptions } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import type { ReduceOp } from '../../backend/kernels.ts';
import { UserError } from '../../errors.ts';
import { named, record } from '../autograd.ts';
import { formatShape, resolveAxisOrScalar, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { where } from './elementwise.ts';

/** One axis, several, or (undefined, or an empty list) all of them. */
export type Axes = number | readonly number[] | undefined;

/** What a reduction takes by name. */
export interface ReductionOptions {
  /** Do the axes stay, with length 1? */
  keepdim?: boolean;
}

/** Do the axes stay, with length 1? Given as PyTorch's third argument, or by name: `true` or `{ keepdim: true }`. */
export type Keepdim = boolean | ReductionOptions;

/** @throws UserError unless it is one of the two forms */
export function keepdimFrom(given: Keepdim, what: string): boolean {
  if (typeof given !== 'object' || given === null) return checkFlag(given, 'keepdim', what);
  checkOptions(what, given, ['keepdim']);
  return checkFlag(given.keepdim ?? false, 'keepdim', what);
}

export function resolveAxes(x: Tensor, axes: Axes, what: string): number[] {
  const list = Array.isArray(axes) ? (axes as readonly number[]) : axes === undefined ? [] : [axes as number];
  if (list.length === 0) return x.shape.map((_, axis) => axis);
  const resolved = list.map((axis) => resolveAxisOrScalar(axis, x.ndim, what));
  if (new Set(resolved).size < resolved.length) {
    throw new UserError(`${what}: an axis comes twice in ${formatShape(list)}`);
  }
  return resolved.filter((axis) => axis < x.ndim);
}

/** The shape with the reduced axes gone, or kept with length 1. */
export function reducedShape(x: Tensor, axes: readonly number[], keepdim: boolean): number[] {
  checkFlag(keepdim, 'keepdim', 'a reduction');
  if (keepdim) return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return x.shape.filter((_, axis) => !axes.includes(axis));
}

function reduce(op: ReduceOp, x: Tensor, axes: readonly number[], keepdim: boolean): Tensor {
  const shape = reducedShape(x, axes, keepdim);
  return Tensor.of(kernels.reduce(op, x, axes), shape);
}

/** Sum over the axes; bool counts as int32. */
export function sum(input: Tensor, axes?: Axes, keepdim = false): Tensor {
  const x = input.dtype === 'bool' ? input.to('int32') : input;
  const reduced = resolveAxes(x, axes, 'sum');
  const kept = reducedShape(x, reduced, true);
  const { shape } = x;
  return record('sum', reduce('sum', x, reduced, keepdim), [x], [], (g) => [g.reshape(kept).expand(shape)]);
}

/** Mean over the axes. @throws UserError unless the elements are float32: of whole numbers it is not whole. */
export function mean(x: Tensor, axes?: Axes, keepdim = false): Tensor {
  requireFloats(x, 'mean');
  const count = sizeOf(resolveAxes(x, axes, 'mean').map((axis) => x.shape[axis]));
  // PyTorch numbers the forms of an operation: with axes it prints MeanBackward1.
  return named(axes === undefined ? 'mean' : 'mean1', sum(x, axes, keepdim).div(count));
}

function requireFloats(x: Tensor, what: string): void {
  if (x.dtype === 'float32') return;
  throw new UserError(`${what}: float32 is expected, not ${x.dtype}; use float() first`);
}

/** What the squares are divided by, and whether the axes stay. */
export interface VarianceOptions {
  /** Divides by n − 1 (Bessel's correction), the default, or by n. */
  unbiased?: boolean;
  /** What is subtracted from n, in place of `unbiased`. */
  correction?: number;
  /** Do the axes stay, with length 1? */
  keepdim?: boolean;
}

/** Elements of an axis, and where they were. */
export interface ValuesAndIndices {
  /** The elements. */
  values: Tensor;
  /** Their positions along the axis, int32, of the same shape. */
  indices: Tensor;
}

/** Which axes go, what the sum of squares is divided by, and the result's shape. */
interface Spread {
  reduced: number[];
  divisor: number;
  shape: number[];
}

function spreadOf(x: Tensor, axes: Axes, options: VarianceOptions): Spread {
  checkOptions('var', options, ['unbiased', 'correction', 'keepdim']);
  const { unbiased = true, keepdim = false, correction = unbiased ? 1 : 0 } = options;
  checkFlag(unbiased, 'unbiased', 'var');
  checkNumber(correction, 'correction', 'var');
  if (options.unbiased !== undefined && options.correction !== undefined) {
    throw new UserError('var: unbiased or correction, not both');
  }
  requireFloats(x, 'var');
  const reduced = resolveAxes(x, axes, 'var');
  const divisor = sizeOf(reduced.map((axis) => x.shape[axis])) - correction;
  const shape = reducedShape(x, reduced, keepdim);
  return { reduced, divisor, shape };
}

/**
 * The mean square of the deviations [keepdim form], in the square of a unit: 1, unless the squares of a row's numbers would
 * be too large or too small for float32.
 */
function meanSquare(x: Tensor, { reduced, divisor }: Spread): { square: Tensor; unit: Tensor | 1 } {
  if (reduced.some((axis) => x.shape[axis] === 0)) return { square: mean(x, reduced, true), unit: 1 };
  const unit = unitOf(extreme('max', x.abs(), reduced, true));
  const y = x.div(unit);
  // Measured from a row's first number, equal numbers are 0 apart whatever the rounding of their mean.
  const apart = y.sub(reduced.reduce((first, axis) => first.narrow(axis, 0, 1), y));
  const deviation = apart.sub(mean(apart, reduced, true));
  return { square: sum(deviation.square(), reduced, true).div(Math.max(0, divisor)), unit };
}

function unitOf(largest: Tensor): Tensor {
  const isTooLarge = largest.gt(1e15).minimum(largest.lt(Infinity));
  const isTooSmall = largest.lt(1e-10);
  return where(isTooLarge, LARGE_UNIT, where(isTooSmall, 1 / LARGE_UNIT, 1));
}

/** A power of two, so that nothing is rounded. */
const LARGE_UNIT = 2 ** 80;

/** g · 2 / (n − correction) · (x − mean), for a g in keepdim form. Not through the mean: its own part sums to 0. */
function toDeviations(g: Tensor, x: Tensor, { reduced, divisor }: Spread): Tensor {
  return x.sub(mean(x, reduced, true)).mul(g.mul(2 / divisor));
}

/**
 * Variance over the axes. `unbiased` (the default, as in PyTorch) divides by n − 1 (Bessel's correction),
 * otherwise by n, as layer norm does. Of too few elements it is NaN.
 */
export function variance(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const spread = spreadOf(x, axes, options);
  const kept = reducedShape(x, spread.reduced, true);
  const { square, unit } = meanSquare(x.detach(), spread);
  const out = square.mul(unit).mul(unit).reshape(spread.shape);
  return record('var', out, [x], [x], (g, input) => [toDeviations(g.reshape(kept), input, spread)]);
}

/** The root of the variance. Where all elements are equal its slope is infinite: the gradient is 0, as in PyTorch. */
export function standardDeviation(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const spread = spreadOf(x, axes, options);
  const kept = reducedShape(x, spread.reduced, true);
  const { square, unit } = meanSquare(x.detach(), spread);
  const root = square.sqrt().mul(unit).reshape(spread.shape);
  return record('std', root, [x], [x, root], (g, input, out) => {
    const toSquare = where(out.eq(0), 0, g.div(out.mul(2)));
    return [toDeviations(toSquare.reshape(kept), input, spread)];
  });
}

function refuseEmpty(x: Tensor, axes: readonly number[], what: string): void {
  if (axes.some((axis) => x.shape[axis] === 0)) {
    throw new UserError(
      `${what}: an axis of length 0 has no ${what === 'min' || what === 'argmin' ? 'smallest' : 'largest'} element`,
    );
  }
}

/**
 * Largest or smallest over several axes; NaN if there is one. Equal ones share the gradient. NaN equals nothing: of a NaN
 * torch.amax gives NaN to all elements, and torch.max (`ofNaN: 'shared'`) to those that are NaN their share.
 */
export function extreme(
  op: 'max' | 'min',
  x: Tensor,
  axes?: Axes,
  keepdim = false,
  ofNaN: 'none' | 'shared' = 'none',
): Tensor {
  const reduced = resolveAxes(x, axes, op);
  refuseEmpty(x, reduced, op);
  const kept = reducedShape(x, reduced, true);
  const out = reduce(op, x, reduced, keepdim);
  return record(op, out, [x], [x, out], (g, input, extremes) => {
    const best = extremes.reshape(kept);
    const equal = input.eq(best);
    const winners = ofNaN === 'none' ? equal : equal.maximum(input.ne(input).minimum(best.ne(best)));
    return [where(winners, g.reshape(kept), 0).div(winners.sum(reduced, true))];
  });
}

/**
 * Position (int32) of the first largest or smallest element, along one axis or in the flattened tensor. NaN counts
 * as both the largest and the smallest, as in PyTorch.
 */
export function argExtreme(op: 'max' | 'min', x: Tensor, axis?: number, keepdim = false): Tensor {
  const what = `arg${op}`;
  if (x.ndim === 0 || axis === undefined || axis === null) {
    if (axis !== undefined && axis !== null) resolveAxisOrScalar(axis, x.ndim, what);
    const all = x.shape.map((_, a) => a);
    const flat = x.flatten();
    refuseEmpty(flat, [0], what);
    return Tensor.of(kernels.argReduce(op, flat, 0), reducedShape(x, all, keepdim));
  }
  const along = resolveAxisOrScalar(axis, x.ndim, what);
  refuseEmpty(x, [along], what);
  return Tensor.of(kernels.argReduce(op, x, along), reducedShape(x, [along], keepdim));
}

/** Largest or smallest along one axis and where: the gradient goes to that element alone, as in torch.max. */
export function extremeAlong(op: 'max' | 'min', x: Tensor, axis: number, keepdim = false): ValuesAndIndices {
  const along = resolveAxisOrScalar(axis, x.ndim, op);
  checkFlag(keepdim, 'keepdim', op);
  refuseEmpty(x, [along], op);
  const indices = argExtreme(op, x, along, true);
  const values = x.gather(along, indices);
  if (keepdim) return { values, indices };
  return { values: values.squeeze(along), indices: indices.squeeze(along) };
}
