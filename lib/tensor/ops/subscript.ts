import { UserError } from '../../errors.ts';
import { tensor } from '../create.ts';
import { inWords } from '../dtype.ts';
import { broadcastShapes, formatShape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { rowsOf, wrapPosition } from './indexing.ts';
import { select, slice } from './views.ts';

/**
 * One subscript of `x.index(…)`, and what Python writes for it:
 *
 *   3, −1           3, −1     one position; the axis goes
 *   null            :         the whole axis
 *   [1, 4], [0, −1] 1:4, 0:-1 from, up to but not including
 *   [0, null, 2]    0::2      the same with a step; null for an open end
 *   a tensor        [ids]     those positions (int32), or where a mask (bool) over one or more axes is true
 *
 * Several tensors are paired, as in PyTorch and NumPy: `x.index(rows, columns)` is x[rows[i]][columns[i]] for each i.
 */
export type Subscript = number | null | readonly [number | null, (number | null)?, number?] | Tensor;

/** x with one subscript for each of its first axes. Numbers and ranges are views, tensors copies. */
export function subscript(x: Tensor, subscripts: readonly Subscript[]): Tensor {
  const { view, positions } = applyViews(x, subscripts);
  return positions.size === 0 ? view : pick(view, positions);
}

/** What is left once numbers and ranges are applied as views, and the positions that tensors give for its axes. */
function applyViews(x: Tensor, subscripts: readonly Subscript[]) {
  const taken = subscripts.reduce<number>((sum, item) => sum + (isMask(item) ? item.ndim : 1), 0);
  if (taken > x.ndim) {
    throw new UserError(`index: ${taken} subscripts for a tensor of ${x.ndim} axes`);
  }
  let view = x;
  let axis = 0;
  const positions = new Map<number, Tensor>();
  for (const item of subscripts) {
    if (typeof item === 'number') view = select(view, axis, item);
    else if (item === null) axis++;
    else if (isMask(item)) {
      for (const along of whereTrue(item, view, axis)) positions.set(axis++, along);
    } else if (item instanceof Tensor) {
      if (item.dtype !== 'int32') {
        throw new UserError(`index: a tensor of int32 or bool is expected, not ${item.dtype}; use int()`);
      }
      if (item.ndim === 0) view = select(view, axis, item.item());
      else positions.set(axis++, item);
    } else if (Array.isArray(item)) {
      const [start, end, step] = item as readonly [number | null, (number | null)?, number?];
      view = slice(view, axis, start ?? 0, end ?? Number.POSITIVE_INFINITY, step);
      axis++;
    } else {
      throw new UserError(`index: a number, null, a range or a tensor is expected, not ${inWords(item)}`);
    }
  }
  return { view, positions };
}

const isMask = (item: Subscript): item is Tensor => item instanceof Tensor && item.dtype === 'bool';

/** The positions along each axis of a mask at which it is true, in row-major order. */
function whereTrue(mask: Tensor, x: Tensor, axis: number): Tensor[] {
  const covered = x.shape.slice(axis, axis + mask.ndim);
  if (mask.ndim === 0 || !sameShape(mask.shape, covered)) {
    throw new UserError(`index: a mask of ${formatShape(mask.shape)} does not fit ${formatShape(covered)}`);
  }
  const places = mask.toFlatArray().flatMap((keep, i) => (keep ? [i] : []));
  let block = mask.size;
  return mask.shape.map((length) => {
    block /= length;
    const step = block;
    return tensor(Int32Array.from(places, (place) => Math.floor(place / step) % length));
  });
}

/** The elements (with the axes that have no positions) at the paired positions. */
function pick(x: Tensor, positions: ReadonlyMap<number, Tensor>): Tensor {
  const axes = [...positions.keys()];
  const shape = [...positions.values()].reduce<number[]>(
    (all, t) => broadcastShapes(all, t.shape, 'index'),
    [],
  );
  const others = x.shape.map((_, axis) => axis).filter((axis) => !positions.has(axis));
  const rest = others.map((axis) => x.shape[axis]);
  const rows = new Int32Array(sizeOf(shape));
  for (const [axis, t] of positions) {
    const length = x.shape[axis];
    const list = t.expand(shape).toFlatArray() as number[];
    for (let i = 0; i < rows.length; i++) rows[i] = rows[i] * length + wrapPosition(list[i], length, 'index');
  }
  const table = x
    .permute([...axes, ...others])
    .reshape([sizeOf(axes.map((axis) => x.shape[axis])), sizeOf(rest)]); // [indexed, rest]
  const picked = rowsOf(table, tensor(rows)).reshape([...shape, ...rest]);
  // The positions' own axes stand where theirs stood, or in front if those were apart.
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  const before = adjacent ? axes[0] : 0;
  const from = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i);
  return picked.permute([
    ...from(before, shape.length),
    ...from(shape.length, 0),
    ...from(rest.length - before, shape.length + before),
  ]);
}
