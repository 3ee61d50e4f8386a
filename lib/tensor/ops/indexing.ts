import { kernels } from '../../backend/dispatch.ts';
import { Storage } from '../../backend/storage.ts';
import { defaultGenerator } from '../../random/index.ts';
import { record } from '../autograd.ts';
import { tensor } from '../create.ts';
import { formatShape, resolveAxis, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** @throws unless all ids are int32 and name one of so many rows. */
function refuseWrongIds(ids: Tensor, rows: number, what: string): void {
  if (ids.dtype === 'float32')
    throw new Error(`${what}: ids have to be int32, not float32; make them with { dtype: 'int32' }`);
  for (const id of ids.to('int32').toFlatArray() as number[]) {
    if (id < 0 || id >= rows) throw new Error(`${what}: there is no row ${id} among ${rows}`);
  }
}

/**
 * Rows of weight [v, d] for int32 ids of any shape [...]: [..., d].
 * @throws if an id is not between 0 and v − 1.
 */
export function embedding(weight: Tensor, ids: Tensor): Tensor {
  refuseWrongIds(ids, weight.shape[0], 'embedding');
  const flat = ids.to('int32').flatten();
  const out = Tensor.of(kernels.embedding(weight, flat), [flat.size, weight.shape[1]]);
  const rows = record('embedding', out, [weight], (g) => [
    (target) => void kernels.embeddingBackwardInto(target, flat, g),
  ]);
  return rows.reshape([...ids.shape, weight.shape[1]]);
}

/** The slices of x at these positions of an axis (negative ones count from the end), in their order. */
export function indexSelect(x: Tensor, axis: number, positions: Tensor | readonly number[]): Tensor {
  const along = resolveAxis(axis, x.ndim, 'indexSelect');
  const list = positions instanceof Tensor ? (positions.flatten().toFlatArray() as number[]) : positions;
  const length = x.shape[along];
  const wrapped = list.map((position) => {
    const at = position < 0 ? position + length : position;
    if (Number.isInteger(position) && at >= 0 && at < length) return at;
    throw new Error(`indexSelect: there is no position ${position} on an axis of length ${length}`);
  });
  const rows = tensor(wrapped, { dtype: 'int32' });
  if (x.dtype !== 'float32') {
    // Rows are copied as float32, which does not hold every int32.
    const ones = x.shape.map((_, a) => (a === along ? wrapped.length : 1));
    return gather(x, along, rows.reshape(ones).expand(x.shape.with(along, wrapped.length)));
  }
  const first = x.transpose(0, along); // the chosen axis in front
  const flat = first.reshape([length, sizeOf(first.shape.slice(1))]); // [length, rest]
  return embedding(flat, rows)
    .reshape([wrapped.length, ...first.shape.slice(1)])
    .transpose(0, along);
}

/** The elements where the mask (of x's shape) is true, in order: one axis. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  if (!sameShape(x.shape, mask.shape)) {
    throw new Error(
      `maskedSelect: a mask of ${formatShape(mask.shape)} does not fit ${formatShape(x.shape)}`,
    );
  }
  const chosen = mask.flatten().toFlatArray();
  const positions = chosen.flatMap((keep, i) => (keep ? [i] : []));
  return indexSelect(x.flatten(), 0, positions);
}

/** `out[i][j] = x[index[i][j]][j]` for axis 0, and so on: as torch.gather. */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const along = resolveAxis(axis, x.ndim, 'gather');
  if (index.ndim !== x.ndim || !index.shape.every((length, a) => a === along || length <= x.shape[a])) {
    throw new Error(`gather: an index of ${formatShape(index.shape)} does not fit ${formatShape(x.shape)}`);
  }
  refuseWrongIds(index, x.shape[along], 'gather');
  const ids = index.to('int32');
  const out = Tensor.of(kernels.gather(x, along, ids), index.shape);
  return record('gather', out, [x], (g) => [(target) => void kernels.scatterAddInto(target, along, ids, g)]);
}

/** Joins tensors along an axis that exists. @throws if another axis differs. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (tensors.length === 0) throw new Error('cat: at least one tensor is expected');
  const first = tensors[0];
  const along = resolveAxis(axis, first.ndim, 'cat');
  const types = tensors.map((t) => t.dtype);
  const dtype = (['float32', 'int32'] as const).find((type) => types.includes(type)) ?? 'bool';
  const parts = tensors.map((t) => t.to(dtype));
  for (const part of parts) {
    if (part.ndim !== first.ndim || !part.shape.every((n, a) => a === along || n === first.shape[a])) {
      throw new Error(
        `cat: ${formatShape(part.shape)} does not join ${formatShape(first.shape)} along axis ${axis}`,
      );
    }
  }
  const total = parts.reduce((sum, part) => sum + part.shape[along], 0);
  const shape = first.shape.with(along, total);
  const out = Tensor.of(Storage.empty(dtype, sizeOf(shape)), shape);
  const sizes = parts.map((part) => part.shape[along]);
  const places = out.split(sizes, along);
  parts.forEach((part, i) => void kernels.copyInto(places[i], part));
  return record('cat', out, parts, (g) => g.split(sizes, along));
}

/** Joins tensors of equal shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  for (const t of tensors) {
    if (!sameShape(t.shape, tensors[0].shape)) {
      throw new Error(`stack: ${formatShape(t.shape)} and ${formatShape(tensors[0].shape)} are not equal`);
    }
  }
  return cat(
    tensors.map((t) => t.unsqueeze(axis)),
    axis,
  );
}

/** The k largest along the last axis (or another), the largest first, and where they are. */
export function topk(x: Tensor, k: number, axis = -1): { values: Tensor; indices: Tensor } {
  const along = resolveAxis(axis, x.ndim, 'topk');
  const length = x.shape[along];
  if (!(k >= 0 && k <= length))
    throw new Error(`topk: there are no ${k} elements on an axis of length ${length}`);
  const sorted = argsort(x, along, true);
  const indices = sorted.slice(along, 0, k).contiguous();
  return { values: gather(x, along, indices), indices };
}

/** Positions (int32) that sort an axis; equal elements keep their order. */
export function argsort(x: Tensor, axis = -1, descending = false): Tensor {
  const along = resolveAxis(axis, x.ndim, 'argsort');
  const last = x.detach().transpose(along, -1).contiguous();
  const length = last.shape.at(-1)!;
  const data = last.storage.data.subarray(last.offset, last.offset + last.size);
  const order = new Int32Array(last.size);
  const compare = descending ? (a: number, b: number) => b - a : (a: number, b: number) => a - b;
  for (let start = 0; start < order.length; start += length) {
    const row = Array.from({ length }, (_, i) => i).sort((i, j) => compare(data[start + i], data[start + j]));
    order.set(row, start);
  }
  return tensor(order).reshape(last.shape).transpose(along, -1);
}

export function sort(x: Tensor, axis = -1, descending = false): { values: Tensor; indices: Tensor } {
  const indices = argsort(x, axis, descending);
  return { values: gather(x, axis, indices), indices };
}

/** Keeps what is on and below (lower) or above (upper) the given diagonal of the last two axes. */
export function triangle(part: 'lower' | 'upper', x: Tensor, diagonal = 0): Tensor {
  if (x.ndim < 2) {
    throw new Error(
      `${part === 'lower' ? 'tril' : 'triu'}: a matrix is expected, not ${formatShape(x.shape)}`,
    );
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
 */
export function multinomial(weights: Tensor, count: number, replacement = false): Tensor {
  const rows = weights.ndim === 1 ? weights.unsqueeze(0) : weights;
  if (rows.ndim !== 2)
    throw new Error(`multinomial: one or two axes are expected, not ${formatShape(weights.shape)}`);
  const drawn = Array.from({ length: rows.shape[0] }, (_, row) => {
    const probabilities = Float32Array.from(rows.select(0, row).toFlatArray() as number[]);
    return tensor(defaultGenerator.multinomial(probabilities, count, replacement));
  });
  return weights.ndim === 1 ? drawn[0] : stack(drawn);
}
