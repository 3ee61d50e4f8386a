import { checkSize, inWords } from '../arguments.ts';
import { isContiguous, rowMajorStrides, sizeOf } from '../backend/strided.ts';
import { UserError } from '../errors.ts';

export { isContiguous, rowMajorStrides, sizeOf };

/** The lengths of the axes; empty for a tensor without axes. */
export type Shape = readonly number[];

export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Accepts a shape as separate numbers or as one array: `zeros(2, 3)`, `zeros([2, 3])`. */
export function shapeFrom(args: readonly (number | Shape)[]): number[] {
  if (args.length === 0) throw new UserError('a shape is expected: lengths, or one array of them');
  const shape = args.length === 1 && Array.isArray(args[0]) ? (args[0] as Shape) : (args as Shape);
  for (const length of shape) {
    if (!Number.isSafeInteger(length))
      throw new UserError(`a shape is made of integers, not ${inWords(length)}`);
  }
  return [...shape];
}

/** The shape of a new tensor. @throws UserError if a length is negative, or no memory is so large. */
export function lengthsFrom(args: readonly (number | Shape)[], what: string): number[] {
  const shape = shapeFrom(args);
  const negative = shape.find((length) => length < 0);
  if (negative !== undefined) throw new UserError(`${what}: an axis cannot have a length of ${negative}`);
  checkSize(sizeOf(shape), what);
  return shape;
}

/** An axis counted from the end when negative; `rank` axes exist. */
export function resolveAxis(axis: number, rank: number, what: string): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new UserError(`${what}: there is no axis ${inWords(axis)} in a tensor of ${rank} axes`);
  }
  return resolved;
}

/** The same where a tensor without axes counts as one of a single element: it has an axis 0, also called −1. */
export function resolveAxisOrScalar(axis: number, rank: number, what: string): number {
  return rank === 0 && (axis === 0 || axis === -1) ? 0 : resolveAxis(axis, rank, what);
}

/**
 * The shape that two shapes broadcast to: aligned at the right, each pair of lengths equal or one of them 1.
 * @throws if a pair of lengths is different and neither is 1.
 */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new UserError(
        `${what}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${x} against ${y}`,
      );
    }
    shape[rank - i] = x === 1 ? y : x;
  }
  return shape;
}

/** Strides that show a view of `shape` as `target`, repeating (stride 0) where it is broadcast. */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const missing = target.length - shape.length;
  return target.map((length, axis) => {
    const own = axis - missing;
    return own < 0 || (shape[own] === 1 && length !== 1) ? 0 : strides[own];
  });
}

/** Fills in the one −1 of a wanted shape. @throws if the sizes do not agree. */
export function resolveReshape(from: Shape, wanted: Shape): number[] {
  const size = sizeOf(from);
  const unknown = wanted.indexOf(-1);
  const known = sizeOf(wanted.filter((length) => length !== -1));
  const shape = wanted.map((length, axis) => (axis === unknown && known > 0 ? size / known : length));
  const fits = wanted.filter((length) => length === -1).length <= 1 && sizeOf(shape) === size;
  if (!fits || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new UserError(
      `reshape: ${formatShape(from)} has ${size} elements, which do not fit ${formatShape(wanted)}`,
    );
  }
  return shape;
}

/**
 * Strides that show a strided view under another shape of the same size without a copy, or undefined where
 * that is impossible. Axes are matched in groups of equal size; inside a group the view must be unbroken.
 */
export function stridesAfterReshape(
  shape: Shape,
  strides: readonly number[],
  target: Shape,
): number[] | undefined {
  if (sizeOf(shape) === 0) return rowMajorStrides(target);
  const axes = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  const result = new Array<number>(target.length).fill(1);
  let at = 0;
  let to = 0;
  while (at < axes.length) {
    let have = shape[axes[at]];
    const first = at++;
    const toFirst = to;
    let want = to < target.length ? target[to++] : 1;
    while (have !== want) {
      if (have < want) have *= shape[axes[at++]];
      else want *= target[to++];
    }
    for (let i = first; i + 1 < at; i++) {
      if (strides[axes[i]] !== shape[axes[i + 1]] * strides[axes[i + 1]]) return undefined;
    }
    let stride = strides[axes[at - 1]];
    for (let axis = to - 1; axis >= toFirst; axis--) {
      result[axis] = stride;
      stride *= target[axis];
    }
  }
  return result;
}
