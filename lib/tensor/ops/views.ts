import ndarray from 'ndarray';
import { checkCount, inWords } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import {
  broadcastStrides,
  formatShape,
  isContiguous,
  resolveAxis,
  resolveAxisOrScalar,
  resolveReshape,
  type Shape,
  sameShape,
  stridesAfterReshape,
} from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { sumToShape } from './elementwise.ts';
import type { Axes } from './reduce.ts';

/**
 * Views: other shapes and strides over the same storage. Nothing is copied, forward or backward: the
 * gradient of a view is a view of the gradient, or is added into the viewed part of it.
 */

function stridedView(x: Tensor, shape: Shape, strides: readonly number[], offset = x.offset): Tensor {
  return new Tensor(ndarray(x.storage, [...shape], [...strides], offset));
}

/** Row-major copy, or x itself where its elements already lie so. */
export function contiguous(x: Tensor): Tensor {
  if (isContiguous(x)) return x;
  return record('contiguous', Tensor.of(kernels.contiguous(x), x.shape), [x], [], (g) => [g]);
}

/** Row-major copy, in memory of its own. */
export function clone(x: Tensor): Tensor {
  return record('clone', Tensor.of(kernels.contiguous(x), x.shape), [x], [], (g) => [g]);
}

/** The same elements in another shape (one length may be −1), without a copy where the strides allow it. */
export function reshape(x: Tensor, wanted: Shape): Tensor {
  const shape = resolveReshape(x.shape, wanted);
  if (sameShape(shape, x.shape)) return x;
  const strides = stridesAfterReshape(x.shape, x.strides, shape);
  return strides ? reshaped(x, shape, strides) : reshape(contiguous(x), shape);
}

function reshaped(x: Tensor, shape: Shape, strides: readonly number[]): Tensor {
  const before = x.shape;
  return record('reshape', stridedView(x, shape, strides), [x], [], (g) => [g.reshape(before)]);
}

/** reshape that refuses to copy, as PyTorch's view. @throws if the strides do not allow it. */
export function view(x: Tensor, wanted: Shape): Tensor {
  const shape = resolveReshape(x.shape, wanted);
  if (sameShape(shape, x.shape)) return x;
  const strides = stridesAfterReshape(x.shape, x.strides, shape);
  if (strides) return reshaped(x, shape, strides);
  throw new UserError(
    `view: ${formatShape(x.shape)} cannot be seen as ${formatShape(shape)} without a copy; use reshape`,
  );
}

/** The axes in another order. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  const { ndim } = x;
  const axes = order.map((axis) => resolveAxis(axis, ndim, 'permute'));
  if (axes.length !== ndim || new Set(axes).size !== ndim) {
    throw new UserError(`permute: ${formatShape(order)} does not name each of the ${ndim} axes once`);
  }
  if (ndim === 0) return x;
  const inverse = axes.map((_, axis) => axes.indexOf(axis));
  const out = new Tensor(x.ndarray.transpose(...axes));
  return record('permute', out, [x], [], (g) => [g.permute(inverse)]);
}

export function transpose(x: Tensor, axis0: number, axis1: number): Tensor {
  const order = x.shape.map((_, axis) => axis);
  const a = resolveAxisOrScalar(axis0, x.ndim, 'transpose');
  const b = resolveAxisOrScalar(axis1, x.ndim, 'transpose');
  if (x.ndim === 0) return x;
  [order[a], order[b]] = [order[b], order[a]];
  return permute(x, order);
}

/** Repeats axes of length 1 (stride 0), and adds axes in front. @throws if another axis would change. */
export function expand(x: Tensor, wanted: Shape): Tensor {
  const { shape: narrow } = x;
  const missing = wanted.length - narrow.length;
  // −1 keeps the length that is there; an axis added in front has none, and fails below.
  const shape = wanted.map((length, axis) => (length === -1 ? (narrow[axis - missing] ?? -1) : length));
  if (sameShape(shape, narrow)) return x;
  if (
    missing < 0 ||
    shape.some((length) => length < 0) ||
    !narrow.every((length, axis) => length === 1 || length === shape[axis + missing])
  ) {
    throw new UserError(`expand: ${formatShape(narrow)} does not broadcast to ${formatShape(wanted)}`);
  }
  const out = stridedView(x, shape, broadcastStrides(narrow, x.strides, shape));
  return record('expand', out, [x], [], (g) => [sumToShape(g, narrow)]);
}

/**
 * Elements start, start + step, … below end along one axis; negative positions count from the end, as in Python.
 */
export function slice(x: Tensor, axis: number, start = 0, end = Infinity, step = 1): Tensor {
  const along = resolveAxis(axis, x.ndim, 'slice');
  const length = x.shape[along];
  if (!(Number.isInteger(step) && step > 0))
    throw new UserError(`slice: a step of ${inWords(step)} is not a positive integer`);
  for (const bound of [start, end]) {
    if (Number.isInteger(bound) || bound === Infinity) continue;
    throw new UserError(`slice: a bound is a whole number, not ${inWords(bound)}`);
  }
  const inside = (position: number) =>
    Math.min(length, Math.max(0, position < 0 ? position + length : position));
  const from = inside(start);
  const count = Math.max(0, Math.ceil((inside(end) - from) / step));
  if (count === length) return x;
  const part = (t: Tensor): Tensor => {
    const shape = t.shape.with(along, count);
    const strides = t.strides.with(along, t.strides[along] * step);
    return stridedView(t, shape, strides, t.offset + (count === 0 ? 0 : from * t.strides[along]));
  };
  return record('slice', part(x), [x], [], (g) => [(target) => part(target).addInPlace(g)]);
}

/** `length` elements from `start` on (which may count from the end). @throws UserError unless all are there. */
export function narrow(x: Tensor, axis: number, from: number | Tensor, length: number): Tensor {
  const start = from instanceof Tensor && from.dtype === 'int32' ? from.item() : (from as number);
  const all = x.shape[resolveAxis(axis, x.ndim, 'narrow')];
  checkCount(length, 0, 'a length', 'narrow');
  const first = start < 0 ? start + all : start;
  if (!Number.isInteger(start) || first < 0 || first + length > all) {
    throw new UserError(
      `narrow: there are no ${length} elements from ${inWords(start)} on, on an axis of length ${all}`,
    );
  }
  return slice(x, axis, first, first + length);
}

/** The slice at one position of an axis, without that axis. @throws UserError if it is out of range. */
export function select(x: Tensor, axis: number, position: number): Tensor {
  const along = resolveAxis(axis, x.ndim, 'select');
  const length = x.shape[along];
  const at = position < 0 ? position + length : position;
  if (!Number.isInteger(position) || at < 0 || at >= length) {
    throw new UserError(`select: there is no position ${inWords(position)} on an axis of length ${length}`);
  }
  const keep = (values: readonly number[]) => values.filter((_, a) => a !== along);
  const part = (t: Tensor) =>
    stridedView(t, keep(t.shape), keep(t.strides), t.offset + at * t.strides[along]);
  return record('select', part(x), [x], [], (g) => [(target) => part(target).addInPlace(g)]);
}

export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = resolveAxis(axis, x.ndim + 1, 'unsqueeze');
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

/** Without the axes of length 1; or, if axes are given, without those of them whose length is 1. */
export function squeeze(x: Tensor, axes?: Axes): Tensor {
  const list: readonly number[] =
    axes === undefined ? x.shape.map((_, axis) => axis) : Array.isArray(axes) ? axes : [axes];
  const gone = new Set(list.map((axis) => resolveAxisOrScalar(axis, x.ndim, 'squeeze')));
  return reshape(
    x,
    x.shape.filter((length, axis) => length !== 1 || !gone.has(axis)),
  );
}

/** The axes from `start` to `end` (included) as one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  const from = resolveAxisOrScalar(start, x.ndim, 'flatten');
  const to = resolveAxisOrScalar(end, x.ndim, 'flatten');
  if (x.ndim === 0) return reshape(x, [1]);
  if (from > to) throw new UserError(`flatten: the first axis, ${start}, comes after the last, ${end}`);
  return reshape(
    x,
    [...x.shape.slice(0, from), -1, ...x.shape.slice(to + 1)].map((length, axis) =>
      // −1 cannot be worked out when another axis is empty.
      axis === from ? x.shape.slice(from, to + 1).reduce((a, b) => a * b, 1) : length,
    ),
  );
}

/** Parts of the given size along an axis (the last one may be shorter), or of the given sizes. */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  const length = x.shape[resolveAxis(axis, x.ndim, 'split')];
  const list = Array.isArray(sizes) ? (sizes as readonly number[]) : partsOf(length, sizes as number);
  for (const size of list) checkCount(size, 0, 'a part', 'split');
  if (list.reduce((a, b) => a + b, 0) !== length) {
    throw new UserError(`split: parts of ${formatShape(list)} do not add up to an axis of length ${length}`);
  }
  let start = 0;
  return list.map((size) => slice(x, axis, start, (start += size)));
}

function partsOf(length: number, size: number): number[] {
  // Parts of nothing can only make up nothing.
  checkCount(size, length === 0 ? 0 : 1, 'a part', 'split');
  if (length === 0) return [0];
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
}

/**
 * At most `chunks` parts of equal size along an axis, the last one shorter where the length does not divide: fewer
 * parts where they would be empty, as in torch.chunk.
 */
export function chunk(x: Tensor, chunks: number, axis = 0): Tensor[] {
  checkCount(chunks, 1, 'chunks', 'chunk');
  const length = x.shape[resolveAxis(axis, x.ndim, 'chunk')];
  if (length === 0) return Array.from({ length: chunks }, () => x);
  return split(x, Math.ceil(length / chunks), axis);
}

/** The slices along an axis, without that axis. */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const along = resolveAxis(axis, x.ndim, 'unbind');
  return Array.from({ length: x.shape[along] }, (_, position) => select(x, along, position));
}

/** The elements whose positions on two axes are equal: these axes go, and one along the diagonal comes last. */
export function diagonal(x: Tensor, axis0 = 0, axis1 = 1): Tensor {
  const a = resolveAxis(axis0, x.ndim, 'diagonal');
  const b = resolveAxis(axis1, x.ndim, 'diagonal');
  if (a === b) throw new UserError(`diagonal: two axes are expected, not ${axis0} twice`);
  const others = <T>(values: readonly T[]) => values.filter((_, axis) => axis !== a && axis !== b);
  const part = (t: Tensor) => {
    const length = Math.min(t.shape[a], t.shape[b]);
    return stridedView(t, [...others(t.shape), length], [...others(t.strides), t.strides[a] + t.strides[b]]);
  };
  return record('diagonal', part(x), [x], [], (g) => [(target) => part(target).addInPlace(g)]);
}
