import { inWords } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { tensor } from '../create.ts';
import { broadcastShapes, formatShape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { rowsOf, wrapPosition } from './indexing.ts';
import { broadcastTo, refuseWriting } from './inPlace.ts';
import { select, slice, unsqueeze } from './views.ts';

/**
 * One subscript of `x.index(…)`, and what Python writes for it:
 *
 *   3, −1           3, −1     one position; the axis goes
 *   null            :         the whole axis
 *   [1, 4], [0, −1] 1:4, 0:-1 from, up to but not including
 *   [0, null, 2]    0::2      the same with a step; null for an open end
 *   '...'           ...       as many whole axes as are left
 *   'newaxis'       None      a new axis of length 1
 *   a tensor        [ids]     those positions (int32), or where a mask (bool) over one or more axes is true
 *
 * Several tensors are paired, as in PyTorch and NumPy: `x.index(rows, columns)` is x[rows[i]][columns[i]] for each i.
 */
export type Subscript =
  | number
  | null
  | readonly [number | null, (number | null)?, number?]
  | '...'
  | 'newaxis'
  | Tensor;

/** x with one subscript for each of its first axes. Numbers and ranges are views, tensors copies. */
export function subscript(x: Tensor, subscripts: readonly Subscript[]): Tensor {
  const { view, positions } = applyViews(x, subscripts);
  return positions.size === 0 ? view : pick(view, positions);
}

/** What is left once numbers and ranges are applied as views, and the positions that tensors give for its axes. */
function applyViews(x: Tensor, subscripts: readonly Subscript[]) {
  let view = x;
  let axis = 0;
  const positions = new Map<number, Tensor>();
  for (const item of withoutEllipsis(x, subscripts)) {
    if (typeof item === 'number') view = select(view, axis, item);
    else if (item === null) axis++;
    else if (item === 'newaxis') view = unsqueeze(view, axis++);
    else if (isMask(item)) {
      // One answer for all is a mask over a new axis: true keeps everything, false nothing.
      if (item.ndim === 0) view = unsqueeze(view, axis);
      const mask = item.ndim === 0 ? item.reshape(1) : item;
      for (const along of whereTrue(mask, view, axis)) positions.set(axis++, along);
    } else if (item instanceof Tensor) {
      if (item.dtype !== 'int32') {
        throw new UserError(`index: a tensor of int32 or bool is expected, not ${item.dtype}; use int()`);
      }
      if (item.ndim === 0) view = select(view, axis, item.item());
      else positions.set(axis++, item);
    } else if (Array.isArray(item) && item.length > 0 && item.length <= 3) {
      const [start, end, step] = item as readonly [number | null, (number | null)?, number?];
      view = slice(view, axis, start ?? 0, end ?? Number.POSITIVE_INFINITY, step);
      axis++;
    } else {
      throw new UserError(
        `index: a number, null, a range, '...', 'newaxis' or a tensor is expected, not ${inWords(item)}`,
      );
    }
  }
  return { view, positions };
}

/** The number of axes that a subscript is for. */
function axesOf(item: Subscript): number {
  if (item === '...' || item === 'newaxis') return 0;
  return isMask(item) ? item.ndim : 1;
}

/** The subscripts with whole axes in the place of the ellipsis. @throws UserError if there are too many */
function withoutEllipsis(x: Tensor, subscripts: readonly Subscript[]): Subscript[] {
  const taken = subscripts.reduce<number>((sum, item) => sum + axesOf(item), 0);
  if (taken > x.ndim) throw new UserError(`index: ${taken} subscripts for a tensor of ${x.ndim} axes`);
  const at = subscripts.indexOf('...');
  if (at === -1) return [...subscripts];
  if (subscripts.includes('...', at + 1)) throw new UserError("index: '...' can stand once only");
  return subscripts.toSpliced(at, 1, ...new Array<null>(x.ndim - taken).fill(null));
}

const isMask = (item: Subscript): item is Tensor => item instanceof Tensor && item.dtype === 'bool';

/** The positions along each axis of a mask at which it is true, in row-major order. */
function whereTrue(mask: Tensor, x: Tensor, axis: number): Tensor[] {
  const covered = x.shape.slice(axis, axis + mask.ndim);
  if (!sameShape(mask.shape, covered)) {
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

/**
 * The way between a tensor, some of whose axes have paired positions, and what `index` gives: the indexed axes brought in
 * front, which rows of them are meant, and the place of the positions' own axes in the result.
 */
function pairing(x: Tensor, positions: ReadonlyMap<number, Tensor>) {
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
  const inFront = x.permute([...axes, ...others]); // [...indexed, ...rest]
  const tableShape = [sizeOf(axes.map((axis) => x.shape[axis])), sizeOf(rest)]; // [indexed, rest]
  // The positions' own axes stand where theirs stood, or in front if those were apart.
  const adjacent = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  const before = adjacent ? axes[0] : 0;
  const from = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i);
  const order = [
    ...from(before, shape.length),
    ...from(shape.length, 0),
    ...from(rest.length - before, shape.length + before),
  ];
  return { inFront, tableShape, rows: tensor(rows), pickedShape: [...shape, ...rest], order };
}

/** The elements (with the axes that have no positions) at the paired positions. */
function pick(x: Tensor, positions: ReadonlyMap<number, Tensor>): Tensor {
  const { inFront, tableShape, rows, pickedShape, order } = pairing(x, positions);
  return rowsOf(inFront.reshape(tableShape), rows).reshape(pickedShape).permute(order);
}

/**
 * `x[subscripts] = value`, or `+=` with `accumulate`, in place, the value broadcast. Where positions name a place twice,
 * the last value stays; with `accumulate` all are added.
 * @throws UserError as `subscript` and `copyInPlace` do
 */
export function indexPutInPlace(
  x: Tensor,
  subscripts: readonly Subscript[],
  value: Tensor | number,
  accumulate: boolean,
): void {
  const what = 'indexPutInPlace';
  if (!Array.isArray(subscripts))
    throw new UserError(`${what}: a list of subscripts is expected, not ${inWords(subscripts)}`);
  if (!(value instanceof Tensor || typeof value === 'number'))
    throw new UserError(`${what}: a tensor or a number is expected, not ${inWords(value)}`);
  const source = value instanceof Tensor ? value : tensor(value);
  refuseWriting(x, [source], what);
  const { view, positions } = applyViews(x.detach(), subscripts);
  const values = source.detach().to(x.dtype);
  if (positions.size === 0) {
    const fitting = withoutLeadingOnes(values, view.ndim);
    if (accumulate) view.addInPlace(fitting);
    else view.copyInPlace(fitting);
    return;
  }
  const { inFront, tableShape, rows, pickedShape, order } = pairing(view, positions);
  const shape = order.map((axis) => pickedShape[axis]);
  const fitting = broadcastTo(withoutLeadingOnes(values, shape.length), shape, what);
  const back = order.map((_, axis) => order.indexOf(axis));
  const put = fitting.permute(back).reshape([rows.size, tableShape[1]]); // [positions, rest]
  const table = inFront.reshape(tableShape); // a view, or a copy where the strides allow none
  const index = rows.unsqueeze(1).expand(put.shape);
  const apart = put.storage === table.storage ? put.clone() : put;
  kernels[accumulate ? 'scatterAddInto' : 'scatterInto'](table, 0, index, apart);
  if (table.storage !== inFront.storage) inFront.copyInPlace(table.reshape(inFront.shape));
}

/** A value may have axes of length 1 in front that its place has not. */
function withoutLeadingOnes(values: Tensor, axes: number): Tensor {
  const extra = values.ndim - axes;
  if (extra <= 0 || values.shape.slice(0, extra).some((length) => length !== 1)) return values;
  return values.reshape(values.shape.slice(extra));
}
