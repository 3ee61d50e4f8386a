import ndarray, { type NdArray } from 'ndarray';
import { checkFlag, checkOptions, refuseSurplus } from '../arguments.ts';
import type { Strided } from '../backend/kernels.ts';
import { type DType, Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { backward, type GraphNode } from './autograd.ts';
import { formatTensor } from './format.ts';
import { cumsum } from './ops/cumsum.ts';
import type { Operand } from './ops/elementwise.ts';
import * as elementwise from './ops/elementwise.ts';
import * as indexing from './ops/indexing.ts';
import { addInPlace, addProductInPlace, copyInPlace } from './ops/inPlace.ts';
import * as logic from './ops/logic.ts';
import { matmul, outer } from './ops/matmul.ts';
import { norm } from './ops/norm.ts';
import type { TopkOptions } from './ops/order.ts';
import * as order from './ops/order.ts';
import * as reduce from './ops/reduce.ts';
import {
  type Axes,
  type Keepdim,
  keepdimFrom,
  type ValuesAndIndices,
  type VarianceOptions,
} from './ops/reduce.ts';
import { repeat, repeatInterleave } from './ops/repeat.ts';
import { bincount, indexAdd, scatter, scatterAdd } from './ops/scatter.ts';
import * as softmax from './ops/softmax.ts';
import { indexPutInPlace, type Subscript, subscript } from './ops/subscript.ts';
import * as views from './ops/views.ts';
import { rowMajorStrides, type Shape, shapeFrom, sizeOf } from './shape.ts';

/** Numbers in arrays in arrays, as deep as the tensor has axes. */
export type NestedArray = number | boolean | NestedArray[];

/**
 * An array of numbers with a shape, and, if `requiresGrad`, a record of how it was computed.
 *
 * An ndarray says how shape, strides and offset lie over the storage. The operations live in ops/,
 * each beside its derivative; the methods here only give them their place in the sentence: `a.matmul(b)`.
 */
export class Tensor implements Strided {
  /** Shape, strides and offset over the storage. */
  readonly ndarray: NdArray<Storage>;
  /** Is a gradient wanted here? An operation's result wants one if one of its inputs does. */
  requiresGrad = false;
  /** d loss / d this, summed up by `backward`; only for leaves. */
  grad: Tensor | null = null;
  /** Has a recorded operation read it? Until then a leaf may be filled in place: that is its initialisation. */
  isUsed = false;
  /** The operation that made this tensor, if a gradient has to pass through it. */
  node: GraphNode | null = null;

  constructor(array: NdArray<Storage>) {
    this.ndarray = array;
  }

  /** A tensor of that shape, row-major over the whole of a storage. */
  static of(storage: Storage, shape: Shape): Tensor {
    return new Tensor(ndarray(storage, [...shape], rowMajorStrides(shape), 0));
  }

  /** The memory that holds the elements; views share it. */
  get storage(): Storage {
    return this.ndarray.data;
  }
  /** The lengths of the axes. Read-only: reshape gives another. */
  get shape(): Shape {
    return this.ndarray.shape;
  }
  /** Elements from one position to the next, along each axis. */
  get strides(): readonly number[] {
    return this.ndarray.stride;
  }
  /** Where in the storage the first element lies, in elements. */
  get offset(): number {
    return this.ndarray.offset;
  }
  /** The type of the elements: float32, int32 or bool. */
  get dtype(): DType {
    return this.storage.dtype as DType; // bytes of quantised blocks are no user's tensor
  }
  /** The number of axes. */
  get ndim(): number {
    return this.shape.length;
  }
  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
  /** Was it made by the user rather than by an operation that is recorded? */
  get isLeaf(): boolean {
    return this.node === null;
  }

  // ── reading ──
  /** The one element of a tensor of size 1, as a number. @throws UserError if it has more, or none */
  item(): number {
    if (this.size !== 1)
      throw new UserError(`item: one element is expected, not a tensor of [${this.shape.join(', ')}]`);
    return this.storage.data[this.offset];
  }
  /** All elements in row-major order, as a plain array (booleans for bool). */
  toFlatArray(): number[] | boolean[] {
    const x = this.detach().contiguous();
    const values = Array.from(x.storage.data.subarray(x.offset, x.offset + x.size));
    return this.dtype === 'bool' ? values.map(Boolean) : values;
  }
  /** The elements as nested arrays; a number for a tensor without axes. */
  toArray(): NestedArray {
    const flat = this.toFlatArray();
    const nest = (axis: number, at: number, block: number): NestedArray => {
      if (axis === this.ndim) return flat[at];
      const part = block / this.shape[axis];
      return Array.from({ length: this.shape[axis] }, (_, i) => nest(axis + 1, at + i * part, part));
    };
    return nest(0, 0, this.size);
  }
  /** The elements as PyTorch prints them: `tensor([[1., 2.], [3., 4.]])`, large tensors shortened. */
  toString(): string {
    return formatTensor(this);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return formatTensor(this);
  }

  // ── gradients ──
  /**
   * Adds d this / d leaf to the `grad` of each leaf that it was computed from; `gradient`, of this shape, is the
   * upstream one.
   * @throws UserError if it is missing for more than one element, if nothing requires a gradient, or if the graph is
   *  already released
   */
  backward(gradient?: Tensor, options: { retainGraph?: boolean } = {}): void {
    checkOptions('backward', options, ['retainGraph']);
    backward(this, gradient, options.retainGraph);
  }
  /** The same numbers and memory without the record of how they were computed. */
  detach(): Tensor {
    return new Tensor(this.ndarray);
  }
  /**
   * Changes whether a gradient is wanted, and returns this. The underscore is PyTorch's, since the property has the name without
   * one; what writes numbers in place ends in InPlace. @throws UserError unless it is a float32 leaf
   */
  requiresGrad_(wanted = true): this {
    checkFlag(wanted, 'its argument', 'requiresGrad_');
    if (!this.isLeaf) throw new UserError('requiresGrad_: only a leaf can change it; use detach() first');
    if (wanted && this.dtype !== 'float32')
      throw new UserError(`requiresGrad_: float32 is expected, not ${this.dtype}`);
    this.requiresGrad = wanted;
    return this;
  }

  // ── in place, for optimisers and gradients: nothing is recorded ──
  /**
   * this += other, broadcast to this shape; returns this.
   * @throws UserError where a gradient would be lost or the type does not hold the sum
   */
  addInPlace(other: Tensor): this {
    addInPlace(this, other);
    return this;
  }
  /**
   * this = other, broadcast to this shape and converted to this type; returns this.
   * @throws UserError where a gradient would be lost
   */
  copyInPlace(other: Tensor): this {
    copyInPlace(this, other);
    return this;
  }
  /** this [m, n] += a [m, k] · b [k, n], all float32; returns this. @throws UserError if the shapes do not fit */
  addProductInPlace(a: Tensor, b: Tensor): this {
    addProductInPlace(this, a, b);
    return this;
  }
  /** Zeros of this shape and type. */
  zerosLike(): Tensor {
    return Tensor.of(Storage.zeros(this.dtype, this.size), this.shape);
  }
  /** A row-major copy in memory of its own; the gradient passes through it. */
  clone(): Tensor {
    return views.clone(this);
  }

  // ── types ──
  /**
   * The elements as another type, or this if it has it; only float32 carries a gradient.
   * @throws UserError for a type that does not exist
   */
  to(dtype: DType): Tensor {
    return elementwise.cast(this, dtype);
  }
  /** The elements as float32. */
  float(): Tensor {
    return this.to('float32');
  }
  /** The elements as int32, cut off towards 0. */
  int(): Tensor {
    return this.to('int32');
  }
  /** Which elements are not 0: bool; NaN is not 0. */
  bool(): Tensor {
    return this.to('bool');
  }

  // ── elementwise, with broadcasting: ops/elementwise.ts ──
  /** this + other, broadcast. */
  add(other: Operand): Tensor {
    return elementwise.binary('add', this, other);
  }
  /** this − other, broadcast. */
  sub(other: Operand): Tensor {
    return elementwise.binary('sub', this, other);
  }
  /** this · other, element by element, broadcast. */
  mul(other: Operand): Tensor {
    return elementwise.binary('mul', this, other);
  }
  /** this / other, broadcast: float32, also of whole numbers. */
  div(other: Operand): Tensor {
    return elementwise.binary('div', this, other);
  }
  /** this to the power of other, broadcast. */
  pow(other: Operand): Tensor {
    return elementwise.binary('pow', this, other);
  }
  /** The larger of the two, broadcast; NaN where either is NaN. Equal ones share the gradient. */
  maximum(other: Operand): Tensor {
    return elementwise.binary('maximum', this, other);
  }
  /** The smaller of the two, broadcast; NaN where either is NaN. Equal ones share the gradient. */
  minimum(other: Operand): Tensor {
    return elementwise.binary('minimum', this, other);
  }
  /** Where this = other, broadcast: bool. */
  eq(other: Operand): Tensor {
    return elementwise.binary('eq', this, other);
  }
  /** Where this ≠ other, broadcast: bool. NaN differs from itself. */
  ne(other: Operand): Tensor {
    return elementwise.binary('ne', this, other);
  }
  /** Where this < other, broadcast: bool. */
  lt(other: Operand): Tensor {
    return elementwise.binary('lt', this, other);
  }
  /** Where this ≤ other, broadcast: bool. */
  le(other: Operand): Tensor {
    return elementwise.binary('le', this, other);
  }
  /** Where this > other, broadcast: bool. */
  gt(other: Operand): Tensor {
    return elementwise.binary('gt', this, other);
  }
  /** Where this ≥ other, broadcast: bool. */
  ge(other: Operand): Tensor {
    return elementwise.binary('ge', this, other);
  }
  /** −x. @throws UserError for bool */
  neg(): Tensor {
    return elementwise.unary('neg', this);
  }
  /** |x|; its gradient at 0 is 0. @throws UserError for bool */
  abs(): Tensor {
    return elementwise.unary('abs', this);
  }
  /** eˣ. */
  exp(): Tensor {
    return elementwise.unary('exp', this);
  }
  /** The natural logarithm: NaN below 0, −∞ at 0. */
  log(): Tensor {
    return elementwise.unary('log', this);
  }
  /** √x: NaN below 0. */
  sqrt(): Tensor {
    return elementwise.unary('sqrt', this);
  }
  /** 1 / √x. */
  rsqrt(): Tensor {
    return elementwise.unary('rsqrt', this);
  }
  /** 1 / x. */
  reciprocal(): Tensor {
    return elementwise.unary('reciprocal', this);
  }
  /** x². */
  square(): Tensor {
    return elementwise.unary('square', this);
  }
  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return elementwise.unary('tanh', this);
  }
  /** 1 / (1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return elementwise.unary('sigmoid', this);
  }
  /** max(0, x); its gradient at 0 is 0. */
  relu(): Tensor {
    return elementwise.unary('relu', this);
  }
  /** The sine of x in radians. */
  sin(): Tensor {
    return elementwise.unary('sin', this);
  }
  /** The cosine of x in radians. */
  cos(): Tensor {
    return elementwise.unary('cos', this);
  }
  /** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
  erf(): Tensor {
    return elementwise.unary('erf', this);
  }
  /** log(1 + x), exact near 0. */
  log1p(): Tensor {
    return elementwise.unary('log1p', this);
  }
  /** eˣ − 1, exact near 0. */
  expm1(): Tensor {
    return elementwise.unary('expm1', this);
  }
  /** The largest whole number that is not above x; the gradient is 0. */
  floor(): Tensor {
    return elementwise.unary('floor', this);
  }
  /** The smallest whole number that is not below x; the gradient is 0. */
  ceil(): Tensor {
    return elementwise.unary('ceil', this);
  }
  /** The nearest whole number, and from halfway the even one, as in PyTorch; the gradient is 0. */
  round(): Tensor {
    return elementwise.unary('round', this);
  }
  /** x without its fraction; the gradient is 0. */
  trunc(): Tensor {
    return elementwise.unary('trunc', this);
  }
  /** 1, 0 or −1; 0 for NaN. The gradient is 0. */
  sign(): Tensor {
    return elementwise.unary('sign', this);
  }
  /** x held between two bounds, numbers or tensors, of which one may be null. @throws UserError if both are */
  clamp(low: Operand | null, high?: Operand | null): Tensor {
    return elementwise.clamp(this, low, high);
  }
  /** x with `value` where the bool mask, broadcast to x, is true. @throws UserError if it does not broadcast */
  maskedFill(mask: Tensor, value: Operand): Tensor {
    return elementwise.maskedFill(this, mask, value);
  }
  /** x where the bool condition is true and `other` elsewhere, broadcast. */
  where(condition: Tensor, other: Operand): Tensor {
    return elementwise.where(condition, this, other);
  }

  // ── questions: ops/logic.ts ──
  /** Which elements are NaN: bool. */
  isnan(): Tensor {
    return logic.isnan(this);
  }
  /** Which elements are ∞ or −∞: bool. */
  isinf(): Tensor {
    return logic.isinf(this);
  }
  /** Which elements are neither infinite nor NaN: bool. */
  isfinite(): Tensor {
    return logic.isfinite(this);
  }
  /** Which elements are 0: bool. */
  logicalNot(): Tensor {
    return logic.logicalNot(this);
  }
  /** Where neither of the two is 0, broadcast: bool. */
  logicalAnd(other: Tensor): Tensor {
    return logic.logical('and', this, other);
  }
  /** Where at least one of the two is not 0, broadcast: bool. */
  logicalOr(other: Tensor): Tensor {
    return logic.logical('or', this, other);
  }
  /** Where exactly one of the two is not 0, broadcast: bool. */
  logicalXor(other: Tensor): Tensor {
    return logic.logical('xor', this, other);
  }
  /** Is any element along the axes (all of them, if none is given) not 0? bool. */
  any(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return logic.any(this, axes, keepdimFrom(keepdim, 'any'));
  }
  /** Is no element along the axes (all of them, if none is given) 0? bool. */
  all(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return logic.all(this, axes, keepdimFrom(keepdim, 'all'));
  }
  /** Do both have the same shape and equal elements? NaN equals nothing. */
  equal(other: Tensor): boolean {
    return logic.equal(this, other);
  }
  /**
   * Is |this − other| ≤ atol + rtol |other| everywhere, broadcast? rtol is 1e−5, atol 1e−8.
   * @throws UserError if the types differ
   */
  allclose(other: Tensor, options: logic.ClosenessOptions = {}): boolean {
    return logic.allclose(this, other, options);
  }
  /** Where the elements are not 0: int32 [n, axes], one row of subscripts for each, in row-major order. */
  nonzero(): Tensor {
    return logic.nonzero(this);
  }

  // ── products: ops/matmul.ts, ops/einsum.ts ──
  /**
   * The matrix product [..., m, k] · [..., k, n] → [..., m, n], leading axes broadcast; one axis is a row on the
   * left, a column on the right.
   * @throws UserError if the shapes or types do not fit
   */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }
  /** Every product of an element of this [m] and one of other [n]: [m, n]. @throws UserError for more axes */
  outer(other: Tensor): Tensor {
    return outer(this, other);
  }

  // ── reductions: ops/reduce.ts ──
  /** The sum over the axes, or over all; `keepdim` keeps them with length 1. int32 for bool. */
  sum(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return reduce.sum(this, axes, keepdimFrom(keepdim, 'sum'));
  }
  /** The mean over the axes, or over all: float32; `keepdim` keeps them with length 1. */
  mean(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return reduce.mean(this, axes, keepdimFrom(keepdim, 'mean'));
  }
  /** The variance over the axes, or over all: divided by n − 1, or by n with `unbiased: false`. */
  var(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return reduce.variance(this, axes, options);
  }
  /** The square root of the variance: see `var`. */
  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return reduce.standardDeviation(this, axes, options);
  }
  /** The largest element of all; NaN if there is one. @throws UserError if there is none */
  max(): Tensor;
  /**
   * The largest elements along an axis and where they are (int32, the first of equal ones); NaN counts as the largest.
   * @throws UserError if there is none
   */
  max(axis: number, keepdim?: Keepdim): ValuesAndIndices;
  max(axis?: number, keepdim: Keepdim = false) {
    return axis === undefined
      ? reduce.extreme('max', this, undefined, false, 'shared')
      : reduce.extremeAlong('max', this, axis, keepdimFrom(keepdim, 'max'));
  }
  /** The smallest element of all; NaN if there is one. @throws UserError if there is none */
  min(): Tensor;
  /**
   * The smallest elements along an axis and where they are (int32, the first of equal ones); NaN counts as the smallest.
   * @throws UserError if there is none
   */
  min(axis: number, keepdim?: Keepdim): ValuesAndIndices;
  min(axis?: number, keepdim: Keepdim = false) {
    return axis === undefined
      ? reduce.extreme('min', this, undefined, false, 'shared')
      : reduce.extremeAlong('min', this, axis, keepdimFrom(keepdim, 'min'));
  }
  /** The largest over several axes; equal ones share the gradient. @throws UserError if there is none */
  amax(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return reduce.extreme('max', this, axes, keepdimFrom(keepdim, 'amax'));
  }
  /** The smallest over several axes; equal ones share the gradient. @throws UserError if there is none */
  amin(axes?: Axes, keepdim: Keepdim = false): Tensor {
    return reduce.extreme('min', this, axes, keepdimFrom(keepdim, 'amin'));
  }
  /**
   * Where the largest element is along an axis, or in the flattened tensor: int32, the first of equal ones.
   * @throws UserError if there is none
   */
  argmax(axis?: number, keepdim: Keepdim = false): Tensor {
    return reduce.argExtreme('max', this, axis, keepdimFrom(keepdim, 'argmax'));
  }
  /**
   * Where the smallest element is along an axis, or in the flattened tensor: int32, the first of equal ones.
   * @throws UserError if there is none
   */
  argmin(axis?: number, keepdim: Keepdim = false): Tensor {
    return reduce.argExtreme('min', this, axis, keepdimFrom(keepdim, 'argmin'));
  }
  /**
   * The p-norm (Σ |x|ᵖ)^(1/p) over the axes, or over all; p may be 0, Infinity or −Infinity.
   * @throws UserError unless x is float32
   */
  norm(p = 2, axes?: Axes, keepdim: Keepdim = false): Tensor {
    return norm(this, p, axes, keepdimFrom(keepdim, 'norm'));
  }
  /** The sums up to and including each position of an axis, of x's shape; int32 for bool. */
  cumsum(axis: number): Tensor {
    return cumsum(this, axis);
  }
  /** eˣ / Σ eˣ along an axis, of x's shape. */
  softmax(axis = -1): Tensor {
    return softmax.softmax(this, axis);
  }
  /** log softmax(x) along an axis, without the overflow that the two in turn would have. */
  logSoftmax(axis = -1): Tensor {
    return softmax.logSoftmax(this, axis);
  }

  // ── views: ops/views.ts ──
  /** This, if its elements lie in row-major order, else a copy in which they do. */
  contiguous(): Tensor {
    return views.contiguous(this);
  }
  /**
   * The same elements in another shape, of which one length may be −1; a view where that is possible, else a copy.
   * @throws UserError if the sizes do not agree
   */
  reshape(...shape: (number | Shape)[]): Tensor {
    return views.reshape(this, shapeFrom(shape));
  }
  /** As reshape, but never a copy. @throws UserError if there is no such view */
  view(...shape: (number | Shape)[]): Tensor {
    return views.view(this, shapeFrom(shape));
  }
  /** The axes in another order: a view. @throws UserError unless each is named once */
  permute(...order: (number | Shape)[]): Tensor {
    return views.permute(this, shapeFrom(order));
  }
  /** Two axes exchanged: a view. */
  transpose(axis0: number, axis1: number): Tensor {
    return views.transpose(this, axis0, axis1);
  }
  /** The transpose of a matrix: a view. @throws UserError for more than two axes */
  t(): Tensor {
    if (this.ndim > 2) throw new UserError(`t: a matrix is expected, not ${this.ndim} axes; use transpose`);
    return this.ndim < 2 ? this : views.transpose(this, 0, 1);
  }
  /** The transpose of a matrix: see `t`. */
  get T(): Tensor {
    return this.t();
  }
  /**
   * Axes of length 1 repeated to the given lengths, and new ones in front, without a copy; −1 keeps a length.
   * @throws UserError if another axis would change
   */
  expand(...shape: (number | Shape)[]): Tensor {
    return views.expand(this, shapeFrom(shape));
  }
  /** Positions start, start + step, … below end of an axis, as Python counts them: a view. */
  slice(axis: number, start?: number, end?: number, step?: number): Tensor {
    return views.slice(this, axis, start, end, step);
  }
  /** `length` positions of an axis from `start` on: a view. @throws UserError if they are not all there */
  narrow(axis: number, start: number | Tensor, length: number): Tensor {
    return views.narrow(this, axis, start, length);
  }
  /** One position of an axis, which goes: a view. @throws UserError if it does not exist */
  select(axis: number, position: number): Tensor {
    return views.select(this, axis, position);
  }
  /** With a new axis of length 1 at this place: a view. */
  unsqueeze(axis: number): Tensor {
    return views.unsqueeze(this, axis);
  }
  /** Without the axes of length 1, or without those of the given ones that have length 1: a view. */
  squeeze(axes?: Axes): Tensor {
    return views.squeeze(this, axes);
  }
  /** The axes from `start` to `end`, included, as one. */
  flatten(start = 0, end = -1): Tensor {
    return views.flatten(this, start, end);
  }
  /**
   * Parts of one size (the last may be shorter) or of the given sizes along an axis: views.
   * @throws UserError if they do not add up
   */
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    return views.split(this, sizes, axis);
  }
  /**
   * At most this many parts of equal size along an axis, the last one shorter if need be: views.
   * @throws UserError below 1
   */
  chunk(chunks: number, axis = 0): Tensor[] {
    return views.chunk(this, chunks, axis);
  }
  /** The slices along an axis, without it: views. */
  unbind(axis = 0): Tensor[] {
    return views.unbind(this, axis);
  }
  /** The elements whose positions on two axes are equal, along a new last axis: a view. */
  diagonal(axis0 = 0, axis1 = 1): Tensor {
    return views.diagonal(this, axis0, axis1);
  }
  /**
   * The whole of x, this many times along each axis; further counts in front add axes.
   * @throws UserError if there are fewer counts than axes
   */
  repeat(...times: (number | Shape)[]): Tensor {
    return repeat(this, shapeFrom(times));
  }
  /**
   * Each slice of an axis (or each element) repeated in place, all equally often or each by its own count.
   * @throws UserError if there are other numbers of counts
   */
  repeatInterleave(repeats: number | readonly number[] | Tensor, axis?: number): Tensor {
    return repeatInterleave(this, repeats, axis);
  }

  // ── indexing: ops/indexing.ts and ops/subscript.ts ──
  /**
   * The slices at these positions of an axis, in their order; negative ones count from the end.
   * @throws UserError for one that does not exist
   */
  indexSelect(axis: number, positions: Tensor | readonly number[]): Tensor {
    return indexing.indexSelect(this, axis, positions);
  }
  /** The elements where the bool mask is true, in order: one axis. */
  maskedSelect(mask: Tensor): Tensor {
    return indexing.maskedSelect(this, mask);
  }
  /**
   * `out[i][j] = x[index[i][j]][j]` for axis 0, and so on, as torch.gather; the index is int32.
   * @throws UserError for a position that does not exist
   */
  gather(axis: number, index: Tensor): Tensor {
    return indexing.gather(this, axis, index);
  }
  /**
   * x with `out[index[i][j]][j] = source[i][j]` for axis 0, and so on, as torch.scatter.
   * @throws UserError if shapes or types do not fit
   */
  scatter(axis: number, index: Tensor, source: Tensor | number): Tensor {
    return scatter(this, axis, index, source);
  }
  /**
   * x with `out[index[i][j]][j] += source[i][j]` for axis 0, and so on, as torch.scatter_add.
   * @throws UserError if shapes or types do not fit
   */
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor {
    return scatterAdd(this, axis, index, source);
  }
  /**
   * x with slice i of the source, times alpha, added to slice index[i] of an axis.
   * @throws UserError if shapes or types do not fit
   */
  indexAdd(axis: number, index: Tensor, source: Tensor, alpha = 1): Tensor {
    return indexAdd(this, axis, index, source, alpha);
  }
  /**
   * How often each whole number from 0 occurs in int32 [n], or the sums of their weights.
   * @throws UserError for a number below 0
   */
  bincount(weights?: Tensor | null, minlength = 0): Tensor {
    return bincount(this, weights, minlength);
  }
  /**
   * The k largest along an axis, the largest first, and where they are (int32); with `largest` false the smallest.
   * @throws UserError if there are fewer
   */
  topk(k: number, axis = -1, options: boolean | TopkOptions = {}): ValuesAndIndices {
    return order.topk(this, k, axis, options);
  }
  /**
   * The elements along an axis in order, and where they were (int32); equal ones keep their order, NaN is the
   * largest.
   */
  sort(axis = -1, descending = false): ValuesAndIndices {
    return order.sort(this, axis, descending);
  }
  /** The positions (int32) that sort an axis; equal elements keep their order. */
  argsort(axis = -1, descending = false): Tensor {
    return order.argsort(this, axis, descending);
  }
  /** The last two axes with zeros above the given diagonal. @throws UserError for fewer axes */
  tril(diagonal = 0): Tensor {
    return indexing.triangle('lower', this, diagonal);
  }
  /** The last two axes with zeros below the given diagonal. @throws UserError for fewer axes */
  triu(diagonal = 0): Tensor {
    return indexing.triangle('upper', this, diagonal);
  }
  /**
   * Positions (int32) drawn with these weights [n] or [rows, n], as torch.multinomial draws them from the same seed.
   * @throws UserError if there are too few
   */
  multinomial(count: number, replacement = false): Tensor {
    return indexing.multinomial(this, count, replacement);
  }
  /**
   * Subscripts as Python writes them: `x.index(null, -1)` is `x[:, -1]`; numbers, ranges, '...', 'newaxis', int32
   * tensors, masks. See ops/subscript.ts.
   * @throws UserError for a position that does not exist
   */
  index(...subscripts: Subscript[]): Tensor {
    return subscript(this, subscripts);
  }
  /**
   * `x[subscripts] = value`, or `+=` with `accumulate`: `x.indexPutInPlace([null, -1], 0)` is `x[:, -1] = 0`. Returns
   * x; nothing is recorded.
   * @throws UserError where a gradient would be lost
   */
  indexPutInPlace(
    subscripts: readonly Subscript[],
    value: Tensor | number,
    options: { accumulate?: boolean } = {},
  ): this {
    checkOptions('indexPutInPlace', options, ['accumulate']);
    const accumulate = checkFlag(options.accumulate ?? false, 'accumulate', 'indexPutInPlace');
    indexPutInPlace(this, subscripts, value, accumulate);
    return this;
  }
}

const ANY = Number.POSITIVE_INFINITY;

/** How many arguments each method takes at most: the compiler holds this table to the signatures. */
refuseSurplus<Tensor>(Tensor.prototype, {
  ...{ item: 0, toFlatArray: 0, toArray: 0, toString: 0, zerosLike: 0, clone: 0, contiguous: 0 },
  ...{ backward: 2, detach: 0, requiresGrad_: 1, addInPlace: 1, copyInPlace: 1, addProductInPlace: 2 },
  ...{ to: 1, float: 0, int: 0, bool: 0 },
  ...{ add: 1, sub: 1, mul: 1, div: 1, pow: 1, maximum: 1, minimum: 1 },
  ...{ eq: 1, ne: 1, lt: 1, le: 1, gt: 1, ge: 1 },
  ...{ neg: 0, abs: 0, exp: 0, log: 0, sqrt: 0, rsqrt: 0, reciprocal: 0, square: 0, tanh: 0, sigmoid: 0 },
  ...{ erf: 0, log1p: 0, expm1: 0, floor: 0, ceil: 0, round: 0, trunc: 0, sign: 0 },
  ...{ isnan: 0, isinf: 0, isfinite: 0, logicalNot: 0, logicalAnd: 1, logicalOr: 1, logicalXor: 1 },
  ...{ equal: 1, allclose: 2, nonzero: 0, outer: 1, norm: 3, cumsum: 1, chunk: 2, unbind: 1, diagonal: 2 },
  ...{ repeat: ANY, repeatInterleave: 2, scatter: 3, scatterAdd: 3, indexAdd: 4, bincount: 2 },
  ...{ relu: 0, sin: 0, cos: 0, clamp: 2, maskedFill: 2, where: 2, matmul: 1 },
  ...{ sum: 2, mean: 2, var: 2, std: 2, max: 2, min: 2, amax: 2, amin: 2, argmax: 2, argmin: 2 },
  ...{ any: 2, all: 2, softmax: 1, logSoftmax: 1 },
  ...{ reshape: ANY, view: ANY, permute: ANY, expand: ANY, transpose: 2, t: 0 },
  ...{ slice: 4, narrow: 3, select: 2, unsqueeze: 1, squeeze: 1, flatten: 2, split: 2 },
  ...{ indexSelect: 2, maskedSelect: 1, gather: 2, topk: 3, sort: 2, argsort: 2, tril: 1, triu: 1 },
  ...{ multinomial: 2, index: ANY, indexPutInPlace: 3 },
});
