import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { isGradEnabled } from '../autograd.ts';
import { requireTensors } from '../requireTensors.ts';
import { formatShape, isContiguous, type Shape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Writing into memory that a tensor already has: for optimisers, gradients and weights that are loaded. The graph
 * does not record it, so it is refused wherever a gradient would be lost; every write raises the storage's version,
 * by which backward knows what is no longer what it saved.
 */

/** @throws UserError where PyTorch does: a gradient would be lost, or one write would land in several elements. */
export function refuseWriting(target: Tensor, sources: readonly Tensor[], what: string): void {
  requireTensors(what, ...sources);
  if (isGradEnabled()) {
    const isFilled = what === 'copyInPlace' && target.isLeaf && !target.isUsed;
    if (target.requiresGrad && !isFilled) {
      const which = target.isLeaf
        ? 'a leaf that requires a gradient'
        : 'a result that a gradient passes through';
      throw new UserError(`${what}: ${which} cannot be changed in place; do it inside noGrad(() => …)`);
    }
    if (sources.some((source) => source.requiresGrad)) {
      throw new UserError(
        `${what}: the gradient of what is written would be lost; detach() it, or write inside noGrad(() => …)`,
      );
    }
  }
  if (target.size > 0 && target.shape.some((length, axis) => length > 1 && target.strides[axis] === 0)) {
    throw new UserError(
      `${what}: several elements of ${formatShape(target.shape)} share one place in memory (expand); clone() it first`,
    );
  }
}

/** Do its elements fill a stretch of memory without gaps, in whatever order of the axes? */
function isDense(x: Tensor): boolean {
  if (isContiguous(x)) return true;
  const order = x.shape.map((_, axis) => axis).sort((a, b) => x.strides[b] - x.strides[a] || a - b);
  return isContiguous(x.permute(order));
}

/**
 * The source as it may be read while the target is written. @throws UserError where PyTorch does: two stretches of
 * the same memory that overlap in part. Where only some of their elements could meet, the source is copied first.
 */
function apartFrom(target: Tensor, source: Tensor, what: string): Tensor {
  if (source.storage !== target.storage) return source;
  const same = source.offset === target.offset && sameShape(source.strides, target.strides);
  if (same && sameShape(source.shape, target.shape)) return source;
  if (!isDense(target) || !isDense(source)) return source.clone();
  const apart = source.offset + source.size <= target.offset || target.offset + target.size <= source.offset;
  if (apart) return source;
  throw new UserError(
    `${what}: the tensor that is written and the one that is read overlap; clone() one first`,
  );
}

/** PyTorch's broadcast of a source to the target's shape, said in the words of the operation. */
export function broadcastTo(source: Tensor, shape: Shape, what: string): Tensor {
  const missing = shape.length - source.ndim;
  if (
    missing < 0 ||
    !source.shape.every((length, axis) => length === 1 || length === shape[axis + missing])
  ) {
    throw new UserError(`${what}: ${formatShape(source.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  return source.expand(shape);
}

/** `target += source`, broadcast. @throws UserError if the sum is not of the target's type. */
export function addInPlace(target: Tensor, source: Tensor): void {
  const what = 'addInPlace';
  refuseWriting(target, [source], what);
  if (target.dtype === 'bool' || (target.dtype === 'int32' && source.dtype === 'float32')) {
    throw new UserError(`${what}: a sum with ${source.dtype} cannot be kept in a tensor of ${target.dtype}`);
  }
  const from = broadcastTo(source.to(target.dtype), target.shape, what);
  if (target.size > 0) kernels.addInto(target, apartFrom(target, from, what));
}

/** `target = source`, broadcast and as the target's type. */
export function copyInPlace(target: Tensor, source: Tensor): void {
  const what = 'copyInPlace';
  refuseWriting(target, [source], what);
  const from = broadcastTo(source.to(target.dtype), target.shape, what);
  if (target.size > 0) kernels.copyInto(target, apartFrom(target, from, what));
}

/**
 * As `copyInPlace`. A whole tensor is copied as it lies, without passing through the engine's own memory: numbers that
 * come from a file, or are drawn, reach a device only when somebody computes with them.
 */
export function copyWhole(target: Tensor, source: Tensor): void {
  const isWhole = (t: Tensor) => t.size === t.storage.length && isContiguous(t);
  const lieAlike = target.dtype === source.dtype && isWhole(source) && isWhole(target);
  if (lieAlike && sameShape(target.shape, source.shape)) {
    refuseWriting(target, [source], 'copyInPlace');
    source.storage.copyTo(target.storage.writable);
  } else copyInPlace(target, source);
}

/** `target [m, n] += a [m, k] · b [k, n]`, all float32. */
export function addProductInPlace(target: Tensor, a: Tensor, b: Tensor): void {
  const what = 'addProductInPlace';
  refuseWriting(target, [a, b], what);
  const [m, k] = a.shape;
  const n = b.shape[1];
  const fits = [target, a, b].every((x) => x.ndim === 2 && x.dtype === 'float32');
  if (!fits || b.shape[0] !== k || !sameShape(target.shape, [m, n])) {
    throw new UserError(
      `${what}: float32 matrices [m, n] += [m, k] · [k, n] are expected, not ${formatShape(target.shape)} += ` +
        `${formatShape(a.shape)} · ${formatShape(b.shape)}`,
    );
  }
  const apart = (x: Tensor) => (x.storage === target.storage ? x.clone() : x);
  if (target.size > 0) kernels.matmulInto(target, apart(a), apart(b));
}
