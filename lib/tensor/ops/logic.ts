import { checkFlag, checkNumber, checkOptions, noMore } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { tensor } from '../create.ts';
import { requireTensors } from '../requireTensors.ts';
import { rowMajorStrides, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { binary } from './elementwise.ts';
import type { Axes } from './reduce.ts';

/** Questions to a tensor. What is not 0 counts as true, NaN too. None has a gradient. */

/** Where x is NaN: bool, of x's shape. Only NaN differs from itself. */
export function isnan(x: Tensor): Tensor {
  return x.ne(x);
}

/** Where x is ∞ or −∞: bool, of x's shape. */
export function isinf(x: Tensor): Tensor {
  return x.detach().float().abs().eq(Infinity);
}

/** Where x is neither infinite nor NaN: bool, of x's shape. */
export function isfinite(x: Tensor): Tensor {
  return x.detach().float().abs().lt(Infinity);
}

export function logicalNot(x: Tensor): Tensor {
  return x.eq(0);
}

/** `a and b`, `a or b`, `a xor b` with broadcasting: bool. */
export function logical(op: 'and' | 'or' | 'xor', a: Tensor, b: Tensor): Tensor {
  requireTensors(`logical ${op}`, b);
  return binary(({ and: 'minimum', or: 'maximum', xor: 'ne' } as const)[op], a.bool(), b.bool());
}

/** Is any element along the axes not 0? bool; false where there is none. */
export function any(x: Tensor, axes?: Axes, keepdim = false): Tensor {
  return x.ne(0).sum(axes, keepdim).gt(0);
}

/** Is no element along the axes 0? bool; true where there is none. */
export function all(x: Tensor, axes?: Axes, keepdim = false): Tensor {
  return x.eq(0).sum(axes, keepdim).eq(0);
}

/** Do both have the same shape and the same elements? NaN equals nothing. */
export function equal(a: Tensor, b: Tensor, ...more: []): boolean {
  noMore('equal', 2, more);
  requireTensors('equal', a, b);
  return sameShape(a.shape, b.shape) && Boolean(all(a.eq(b)).item());
}

/** How close is close. */
export interface ClosenessOptions {
  /** Allowed difference relative to `b`; 1e−5. */
  rtol?: number;
  /** Allowed difference besides; 1e−8. */
  atol?: number;
  /** Is NaN close to NaN? No. */
  equalNan?: boolean;
}

/**
 * Is |a − b| ≤ atol + rtol |b| for all elements, broadcast? Infinities are close to themselves alone.
 * @throws UserError if the types differ, as torch.allclose does.
 */
export function allclose(a: Tensor, b: Tensor, options: ClosenessOptions = {}, ...more: []): boolean {
  noMore('allclose', 3, more);
  requireTensors('allclose', a, b);
  checkOptions('allclose', options, ['rtol', 'atol', 'equalNan']);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  if (a.dtype !== b.dtype) throw new UserError(`allclose: ${a.dtype} and ${b.dtype} are not one type`);
  checkNumber(rtol, 'rtol', 'allclose', 0);
  checkNumber(atol, 'atol', 'allclose', 0);
  checkFlag(equalNan, 'equalNan', 'allclose');
  const [x, y] = [a.detach(), b.detach()];
  const difference = x.float().sub(y.float()).abs();
  const allowed = y.float().mul(rtol).abs().add(atol);
  const near = logical('and', isfinite(difference), difference.le(allowed));
  let close = logical('or', x.eq(y), near);
  if (equalNan) close = logical('or', close, logical('and', isnan(x), isnan(y)));
  return Boolean(all(close).item());
}

/** Where x is not 0: int32 [n, axes], one row of subscripts for each such element, in row-major order. */
export function nonzero(x: Tensor): Tensor {
  const strides = rowMajorStrides(x.shape);
  const positions = x
    .ne(0)
    .toFlatArray()
    .flatMap((yes, i) => (yes ? [i] : []));
  const rows = positions.flatMap((i) =>
    x.shape.map((length, axis) => Math.floor(i / strides[axis]) % length),
  );
  return tensor(Int32Array.from(rows)).reshape([positions.length, x.ndim]);
}
