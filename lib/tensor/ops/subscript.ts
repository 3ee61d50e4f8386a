import { Tensor } from '../tensor.ts';
import { indexSelect, maskedSelect } from './indexing.ts';
import { select, slice } from './views.ts';

/**
 * One subscript of `x.index(…)`, and what Python writes for it:
 *
 *   3, −1           3, −1     one position; the axis goes
 *   null            :         the whole axis
 *   [1, 4], [0, −1] 1:4, 0:-1 from, up to but not including
 *   [0, null, 2]    0::2      the same with a step; null for an open end
 *   a tensor        [ids]     those positions (int32), or where a mask of x's shape is true (bool)
 */
export type Subscript = number | null | readonly [number | null, (number | null)?, number?] | Tensor;

/** x with one subscript for each of its first axes. Numbers and ranges are views, tensors copies. */
export function subscript(x: Tensor, subscripts: readonly Subscript[]): Tensor {
  if (subscripts.length > x.ndim) {
    throw new Error(`index: ${subscripts.length} subscripts for a tensor of ${x.ndim} axes`);
  }
  let out = x;
  let axis = 0;
  for (const item of subscripts) {
    if (typeof item === 'number') out = select(out, axis, item);
    else if (item === null) axis++;
    else if (item instanceof Tensor) {
      if (item.dtype === 'bool') {
        if (subscripts.length > 1) throw new Error('index: a mask is for the whole tensor: give it alone');
        return maskedSelect(x, item);
      }
      const chosen = indexSelect(out, axis, item);
      // The ids' own axes take the place of the axis they choose from.
      out = chosen.reshape([...out.shape.slice(0, axis), ...item.shape, ...out.shape.slice(axis + 1)]);
      axis += item.ndim;
    } else {
      const [start, end, step] = item;
      out = slice(out, axis, start ?? 0, end ?? Number.POSITIVE_INFINITY, step);
      axis++;
    }
  }
  return out;
}
