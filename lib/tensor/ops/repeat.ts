import { checkSize, inWords } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { formatShape, resolveAxis, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { indexSelect } from './indexing.ts';

/** Copies of a tensor beside one another. Repeated axes are views (stride 0) until the one copy at the end. */

function refuseUncountable(times: readonly number[], what: string): void {
  const wrong = times.find((count) => !Number.isInteger(count) || count < 0);
  if (wrong === undefined) return;
  const given = times.every((count) => typeof count === 'number') ? formatShape(times) : inWords(wrong);
  throw new UserError(`${what}: whole numbers from 0 are expected as counts, not ${given}`);
}

/**
 * The whole of x, `times[a]` times along each axis; further counts in front add axes, as in torch.Tensor.repeat.
 * @throws UserError if there are fewer counts than axes.
 */
export function repeat(x: Tensor, times: Shape): Tensor {
  refuseUncountable(times, 'repeat');
  const missing = times.length - x.ndim;
  if (missing < 0) {
    throw new UserError(
      `repeat: a count for each of the ${x.ndim} axes is expected, not ${formatShape(times)}`,
    );
  }
  const shape = [...new Array<number>(missing).fill(1), ...x.shape];
  checkSize(
    shape.reduce((size, length, axis) => size * length * times[axis], 1),
    'repeat',
  );
  const blocks = x.reshape(shape.flatMap((length) => [1, length])); // [1, a, 1, b, …]
  const repeated = blocks.expand(shape.flatMap((length, axis) => [times[axis], length])).clone();
  return repeated.reshape(shape.map((length, axis) => times[axis] * length));
}

/**
 * Each slice of an axis repeated in place: `[1, 2]` by 2 is `[1, 1, 2, 2]`. Without an axis the flattened tensor's
 * elements are repeated. `repeats` is one count for all, or one for each slice, as in torch.repeat_interleave.
 * @throws UserError if there are counts for another number of slices.
 */
export function repeatInterleave(
  x: Tensor,
  repeats: number | readonly number[] | Tensor,
  axis?: number,
): Tensor {
  if (axis === undefined) return repeatInterleave(x.flatten(), repeats, 0);
  if (x.ndim === 0) return repeatInterleave(x.reshape(1), repeats, axis);
  const along = resolveAxis(axis, x.ndim, 'repeatInterleave');
  const length = x.shape[along];
  if (repeats instanceof Tensor && repeats.dtype !== 'int32')
    throw new UserError(`repeatInterleave: int32 counts are expected, not ${repeats.dtype}`);
  const counts = repeats instanceof Tensor ? (repeats.flatten().toFlatArray() as number[]) : [repeats].flat();
  refuseUncountable(counts, 'repeatInterleave');
  checkSize(counts.reduce((a, b) => a + b, 0) * x.size, 'repeatInterleave');
  if (counts.length === 1) {
    const [count] = counts;
    const slices = x.unsqueeze(along + 1); // [..., length, 1, ...]
    const repeated = slices.expand(slices.shape.with(along + 1, count)).clone();
    return repeated.reshape(x.shape.with(along, length * count));
  }
  if (counts.length !== length) {
    throw new UserError(
      `repeatInterleave: one count or ${length} are expected for an axis of length ${length}, not ${counts.length}`,
    );
  }
  const positions = counts.flatMap((count, position) => new Array<number>(count).fill(position));
  return indexSelect(x, along, positions);
}
