import { checkCount, checkNumber, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { arange, full, zeros } from '../create.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { formatShape, resolveAxis } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The opposite of gather: numbers put, or added, where an index says. */

/** Checks as torch.scatter's, and the source cropped to the index. */
function prepare(
  what: string,
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
): { along: number; ids: Tensor; part: Tensor } {
  requireTensors(what, index, source);
  const along = resolveAxis(axis, x.ndim, what);
  const fits =
    index.ndim === x.ndim &&
    source.ndim === x.ndim &&
    index.shape.every((length, a) => length <= source.shape[a] && (a === along || length <= x.shape[a]));
  if (!fits) {
    throw new UserError(
      `${what}: an index of ${formatShape(index.shape)} does not fit into ${formatShape(x.shape)} and a source ` +
        `of ${formatShape(source.shape)}: no axis may be longer there, but axis ${axis} of the target`,
    );
  }
  if (source.dtype !== x.dtype)
    throw new UserError(`${what}: a source of ${x.dtype} is expected, not ${source.dtype}`);
  if (index.dtype !== 'int32') throw new UserError(`${what}: an int32 index is expected, not ${index.dtype}`);
  for (const id of index.toFlatArray() as number[]) {
    if (id < 0 || id >= x.shape[along])
      throw new UserError(`${what}: there is no position ${id} on an axis of length ${x.shape[along]}`);
  }
  const part = index.shape.reduce((t, length, a) => t.slice(a, 0, length), source);
  return { along, ids: index, part };
}

/**
 * x with `out[index[i][j]][j] = source[i][j]` for axis 0, and so on: as torch.scatter. The source is a tensor of x's
 * type, at least as large as the int32 index, or one number. Where two are put in one place, the last one stays.
 * @throws UserError if the shapes or types do not fit or a position does not exist
 */
export function scatter(x: Tensor, axis: number, index: Tensor, source: Tensor | number): Tensor {
  requireTensors('scatter', index);
  if (x.ndim === 0) return onOneAxis(scatter, x, axis, index, source);
  const values =
    typeof source === 'number' ? full([], source, { dtype: x.dtype }).expand(index.shape) : source;
  const { along, ids, part } = prepare('scatter', x, axis, index, values);
  const out = Tensor.of(kernels.contiguous(x), x.shape);
  kernels.scatterInto(out, along, ids, part);
  const [toX, toSource] = [x.requiresGrad, part.requiresGrad];
  return record('scatter', out, [x, part], [ids], (g, places) => [
    toX ? scatter(g, along, places, 0) : null,
    toSource ? g.gather(along, places) : null,
  ]);
}

/**
 * x with `out[index[i][j]][j] += source[i][j]` for axis 0, and so on: as torch.scatter_add.
 * @throws UserError if the shapes or types do not fit or a position does not exist
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  if (x.dtype === 'bool') throw new UserError('scatterAdd: bools cannot be added; use int() first');
  requireTensors('scatterAdd', index, source);
  if (x.ndim === 0) return onOneAxis(scatterAdd, x, axis, index, source);
  const { along, ids, part } = prepare('scatterAdd', x, axis, index, source);
  const out = Tensor.of(kernels.contiguous(x), x.shape);
  kernels.scatterAddInto(out, along, ids, part);
  const toSource = part.requiresGrad;
  return record('scatterAdd', out, [x, part], [ids], (g, places) => [
    g,
    toSource ? g.gather(along, places) : null,
  ]);
}

/** A tensor without axes is scattered into as one of one axis. */
function onOneAxis<Source extends Tensor | number>(
  scattering: (x: Tensor, axis: number, index: Tensor, source: Source) => Tensor,
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Source,
): Tensor {
  const listed = (source instanceof Tensor ? source.reshape(-1) : source) as Source;
  return scattering(x.reshape(1), axis, index.reshape(-1), listed).reshape([]);
}

/**
 * x with slice i of the source added to slice `index[i]` of an axis, times `alpha`: as torch.index_add. The index is
 * int32 [n], the source x's shape with length n on that axis.
 * @throws UserError if the shapes or types do not fit or a position does not exist
 */
export function indexAdd(x: Tensor, axis: number, index: Tensor, source: Tensor, alpha = 1): Tensor {
  requireTensors('indexAdd', index, source);
  if (x.dtype === 'bool') throw new UserError('indexAdd: bools cannot be added; use int() first');
  checkNumber(alpha, 'alpha', 'indexAdd');
  if (x.ndim === 0) {
    return indexAdd(x.reshape(1), axis, index.reshape(-1), source.reshape(-1), alpha).reshape([]);
  }
  const along = resolveAxis(axis, x.ndim, 'indexAdd');
  const wanted = x.shape.with(along, index.size);
  if (index.ndim !== 1 || formatShape(source.shape) !== formatShape(wanted)) {
    throw new UserError(
      `indexAdd: an index [n] and a source of ${formatShape(x.shape.map((length, a) => (a === along ? 'n' : length)))} ` +
        `are expected, not ${formatShape(index.shape)} and ${formatShape(source.shape)}`,
    );
  }
  const ids = index.reshape(wanted.map((_, a) => (a === along ? index.size : 1))).expand(wanted);
  return scatterAdd(x, along, ids, alpha === 1 ? source : source.mul(alpha));
}

function refuseUncountable(ids: Tensor, what: string): number {
  requireTensors(what, ids);
  if (ids.dtype !== 'int32') throw new UserError(`${what}: int32 is expected, not ${ids.dtype}`);
  const [smallest, largest] = ids.size === 0 ? [0, -1] : [ids.min().item(), ids.max().item()];
  if (smallest < 0) throw new UserError(`${what}: ${smallest} is below 0`);
  return largest + 1;
}

/**
 * How often each whole number from 0 occurs in an int32 tensor [n]: int32 [largest + 1], at least `minlength` long.
 * With weights [n] their sums instead (float32).
 * @throws UserError for another type, several axes, or a number below 0
 */
export function bincount(ids: Tensor, weights?: Tensor | null, minlength = 0, ...more: []): Tensor {
  noMore('bincount', 3, more);
  const needed = refuseUncountable(ids, 'bincount');
  if (ids.ndim !== 1) throw new UserError(`bincount: one axis is expected, not ${formatShape(ids.shape)}`);
  requireTensorIfGiven('bincount: weights', weights);
  if (weights && formatShape(weights.shape) !== formatShape(ids.shape)) {
    throw new UserError(
      `bincount: a weight for each of ${formatShape(ids.shape)} is expected, not ${formatShape(weights.shape)}`,
    );
  }
  const length = Math.max(needed, checkCount(minlength, 0, 'minlength', 'bincount'));
  const counted = weights?.detach().float() ?? full(ids.shape, 1, { dtype: 'int32' });
  return scatterAdd(zeros(length, { dtype: counted.dtype }), 0, ids, counted);
}

/**
 * int32 ids [...] as [..., classes]: 1 at each id and 0 elsewhere, int32. Without `numClasses` the largest id is the
 * last class.
 * @throws UserError for another type, or an id that is not a class
 */
export function oneHot(ids: Tensor, numClasses = -1, ...more: []): Tensor {
  noMore('oneHot', 2, more);
  const needed = refuseUncountable(ids, 'oneHot');
  if (numClasses === -1 && ids.size === 0)
    throw new UserError('oneHot: without an id the number of classes has to be given');
  const classes = numClasses === -1 ? needed : checkCount(numClasses, 1, 'numClasses', 'oneHot');
  if (classes < needed) throw new UserError(`oneHot: the id ${needed - 1} is not one of ${classes} classes`);
  return ids.unsqueeze(-1).eq(arange(classes)).to('int32');
}
