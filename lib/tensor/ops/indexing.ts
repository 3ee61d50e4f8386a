import { checkCount, checkFlag, inWords, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { Storage } from '../../backend/storage.ts';
import { UserError } from '../../errors.ts';
import { defaultGenerator } from '../../random/index.ts';
import { record } from '../autograd.ts';
import { tensor, zeros } from '../create.ts';
import { highestType } from '../dtype.ts';
import { requireTensors } from '../requireTensors.ts';
import {
  broadcastShapes,
  formatShape,
  resolveAxis,
  resolveAxisOrScalar,
  sameShape,
  sizeOf,
} from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { requireMask } from './elementwise.ts';

/** @throws UserError unless all ids are int32 and name one of so many rows. */
function refuseWrongIds(ids: Tensor, rows: number, what: string): void {
  requireTensors(what, ids);
  if (ids.dtype !== 'int32') {
    throw new UserError(`${what}: ids have to be int32, not ${ids.dtype}; make them with { dtype: 'int32' }`);
  }
  for (const id of ids.toFlatArray() as number[]) {
    if (id < 0 || id >= rows) throw new UserError(`${what}: there is no row ${id} among ${rows}`);
  }
}

/**
 * Rows of weight [v, d] for int32 ids of any shape [...]: [..., d].
 * @throws UserError if the weight is not a matrix, or an id not between 0 and v − 1.
 */
export function embedding(weight: Tensor, ids: Tensor, ...more: []): Tensor {
  noMore('embedding', 2, more);
  requireTensors('embedding', weight);
  if (weight.ndim !== 2) {
    throw new UserError(`embedding: a weight of [rows, d] is expected, not ${formatShape(weight.shape)}`);
  }
  refuseWrongIds(ids, weight.shape[0], 'embedding');
  return rowsOf(weight, ids.flatten()).reshape([...ids.shape, weight.shape[1]]);
}

/** Rows of x [v, d] for ids [n] in range: [n, d]. */
export function rowsOf(x: Tensor, ids: Tensor): Tensor {
  const [rows, d] = [ids.shape[0], x.shape[1]];
  // The kernel's rows are float32, which does not hold every int32.
  if (x.dtype !== 'float32') return gather(x, 0, ids.unsqueeze(1).expand([rows, d]));
  const out = Tensor.of(kernels.embedding(x, ids), [rows, d]);
  return record('embedding', out, [x], [ids], (g, at) => [
    (target) => void kernels.embeddingBackwardInto(target, at, g),
  ]);
}

/** Positions as a list, of a list or of an int32 tensor of at most one axis; below 0 they count from the end. */
function positionsFrom(positions: Tensor | readonly number[], length: number): Tensor {
  if (positions instanceof Tensor && (positions.dtype !== 'int32' || positions.ndim > 1)) {
    const given = `${positions.dtype} of ${formatShape(positions.shape)}`;
    throw new UserError(`indexSelect: positions are a list or int32 of one axis, not ${given}`);
  }
  if (!(positions instanceof Tensor || Array.isArray(positions) || ArrayBuffer.isView(positions))) {
    throw new UserError(`indexSelect: positions are a list or an int32 tensor, not ${inWords(positions)}`);
  }
  const list = positions instanceof Tensor ? (positions.toFlatArray() as number[]) : positions;
  return tensor(Int32Array.from(list, (position) => wrapPosition(position, length, 'indexSelect')));
}

/** A position counted from the end when negative. @throws UserError if it is out of range. */
export function wrapPosition(position: number, length: number, what: string): number {
  const at = position < 0 ? position + length : position;
  if (Number.isInteger(position) && at >= 0 && at < length) return at;
  throw new UserError(`${what}: there is no position ${inWords(position)} on an axis of length ${length}`);
}

/** The slices of x at these positions of an axis (negative ones count from the end), in their order. */
export function indexSelect(x: Tensor, axis: number, positions: Tensor | readonly number[]): Tensor {
  const along = resolveAxisOrScalar(axis, x.ndim, 'indexSelect');
  const rows = positionsFrom(positions, x.shape[along] ?? 1);
  if (x.ndim === 0) {
    if (rows.size !== 1)
      throw new UserError('indexSelect: of a tensor without axes there is one element to take');
    return x;
  }
  const first = x.transpose(0, along); // the chosen axis in front
  const flat = first.reshape([x.shape[along], sizeOf(first.shape.slice(1))]); // [length, rest]
  return rowsOf(flat, rows)
    .reshape([rows.size, ...first.shape.slice(1)])
    .transpose(0, along);
}

/** The elements where the mask (broadcast with x) is true, in order: one axis. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  requireMask(mask, 'maskedSelect');
  const shape = broadcastShapes(x.shape, mask.shape, 'maskedSelect');
  const chosen = mask.expand(shape).toFlatArray();
  const positions = chosen.flatMap((keep, i) => (keep ? [i] : []));
  return indexSelect(x.expand(shape).flatten(), 0, positions);
}

/** `out[i][j] = x[index[i][j]][j]` for axis 0, and so on: as torch.gather. */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const { shape } = x;
  const along = resolveAxisOrScalar(axis, x.ndim, 'gather');
  refuseWrongIds(index, shape[along] ?? 1, 'gather');
  if (x.ndim === 0 && index.ndim <= 1)
    return gather(x.reshape(1), 0, index.reshape(-1)).reshape([...index.shape]);
  if (index.ndim === 0 && x.ndim === 1) return gather(x, 0, index.reshape(1)).reshape([]);
  if (index.ndim !== x.ndim || !index.shape.every((length, a) => a === along || length <= shape[a])) {
    throw new UserError(`gather: an index of ${formatShape(index.shape)} does not fit ${formatShape(shape)}`);
  }
  const out = Tensor.of(kernels.gather(x, along, index), index.shape);
  return record('gather', out, [x], [index], (g, at) => [
    (target) => void kernels.scatterAddInto(target, along, at, g),
  ]);
}

/** An empty tensor of one axis joins anything, as in PyTorch: it is what a list begins with. */
const isNothing = (t: Tensor) => t.ndim === 1 && t.size === 0;

/** @throws UserError unless it is a list of one tensor or more. */
function requireList(tensors: readonly Tensor[], what: string): void {
  if (!Array.isArray(tensors) || !tensors.every((t) => t instanceof Tensor)) {
    throw new UserError(`${what}: a list of tensors is expected, not ${inWords(tensors)}`);
  }
  if (tensors.length === 0) throw new UserError(`${what}: at least one tensor is expected`);
}

/** Joins tensors along an axis that exists. @throws UserError if another axis differs. */
export function cat(tensors: readonly Tensor[], axis = 0, ...more: []): Tensor {
  noMore('cat', 2, more);
  requireList(tensors, 'cat');
  const dtype = highestType(tensors.map((t) => t.dtype));
  const parts = tensors.filter((t) => !isNothing(t)).map((t) => t.to(dtype));
  if (parts.length === 0) {
    resolveAxis(axis, 1, 'cat');
    return tensors[0].to(dtype).clone();
  }
  const [{ shape: first }] = parts;
  const along = resolveAxis(axis, first.length, 'cat');
  for (const part of parts) {
    if (part.ndim !== first.length || !part.shape.every((n, a) => a === along || n === first[a])) {
      throw new UserError(
        `cat: ${formatShape(part.shape)} does not join ${formatShape(first)} along axis ${axis}`,
      );
    }
  }
  const total = parts.reduce((sum, part) => sum + part.shape[along], 0);
  const shape = first.with(along, total);
  const out = Tensor.of(Storage.empty(dtype, sizeOf(shape)), shape);
  const sizes = parts.map((part) => part.shape[along]);
  for (const [i, place] of out.split(sizes, along).entries()) {
    if (place.size > 0) kernels.copyInto(place, parts[i]);
  }
  return record('cat', out, parts, [], (g) => g.split(sizes, along));
}

/** Joins tensors of equal shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0, ...more: []): Tensor {
  noMore('stack', 2, more);
  requireList(tensors, 'stack');
  const { shape } = tensors[0];
  for (const t of tensors) {
    if (!sameShape(t.shape, shape)) {
      throw new UserError(`stack: ${formatShape(t.shape)} and ${formatShape(shape)} are not equal`);
    }
  }
  const at = resolveAxis(axis, shape.length + 1, 'stack');
  return cat(
    tensors.map((t) => t.unsqueeze(at)),
    at,
  );
}

/** Keeps what is on and below (lower) or above (upper) the given diagonal of the last two axes. */
export function triangle(part: 'lower' | 'upper', x: Tensor, diagonal = 0): Tensor {
  const what = part === 'lower' ? 'tril' : 'triu';
  if (x.ndim < 2) throw new UserError(`${what}: a matrix is expected, not ${formatShape(x.shape)}`);
  if (!Number.isInteger(diagonal)) {
    throw new UserError(`${what}: a diagonal is a whole number, not ${inWords(diagonal)}`);
  }
  const [rows, columns] = x.shape.slice(-2);
  const keep = Uint8Array.from({ length: rows * columns }, (_, i) => {
    const aboveDiagonal = (i % columns) - Math.floor(i / columns) - diagonal;
    return +(part === 'lower' ? aboveDiagonal <= 0 : aboveDiagonal >= 0);
  });
  const dropped = tensor(keep).reshape([rows, columns]).eq(0);
  return x.maskedFill(dropped, 0);
}

/**
 * Draws `count` positions for each row of weights [n] or [rows, n] (not negative, need not sum to 1):
 * int32 [count] or [rows, count], the draws of torch.multinomial from the same seed.
 * @throws UserError unless count is at least 1, and as many entries are there where none may come twice.
 */
export function multinomial(weights: Tensor, count: number, replacement = false, ...more: []): Tensor {
  noMore('multinomial', 3, more);
  requireTensors('multinomial', weights);
  if (weights.dtype !== 'float32')
    throw new UserError(`multinomial: weights of float32 are expected, not ${weights.dtype}; use float()`);
  checkFlag(replacement, 'replacement', 'multinomial');
  const rows = weights.ndim === 1 ? weights.unsqueeze(0) : weights;
  if (rows.ndim !== 2)
    throw new UserError(`multinomial: one or two axes are expected, not ${formatShape(weights.shape)}`);
  checkCount(count, 1, 'the number of samples', 'multinomial');
  const drawn = zeros([rows.shape[0], count], { dtype: 'int32' });
  for (let row = 0; row < rows.shape[0]; row++) {
    const probabilities = Float32Array.from(rows.select(0, row).toFlatArray() as number[]);
    const samples = defaultGenerator.multinomial(probabilities, count, replacement);
    drawn.storage.writable.set(samples, row * count);
  }
  return weights.ndim === 1 ? drawn.reshape(count) : drawn;
}
