import ndarray, { type NdArray } from 'ndarray';
import type { Strided } from '../backend/kernels.ts';
import { type DType, Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { checkOptions } from '../options.ts';
import { refuseSurplus } from './arguments.ts';
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
import type { Axes, VarianceOptions } from './ops/reduce.ts';
import * as reduce from './ops/reduce.ts';
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
  get offset(): number {
    return this.ndarray.offset;
  }
  get dtype(): DType {
    return this.storage.dtype;
  }
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
  /** The one element of a tensor of size 1. @throws if it has more, or none. */
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
  toString(): string {
    return formatTensor(this);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return formatTensor(this);
  }

  // ── gradients ──
  backward(gradient?: Tensor, options: { retainGraph?: boolean } = {}): void {
    checkOptions('backward', options, ['retainGraph']);
    backward(this, gradient, options.retainGraph);
  }
  /** The same numbers without the record of how they were computed. */
  detach(): Tensor {
    return new Tensor(this.ndarray);
  }
  /** Changes whether a gradient is wanted, and returns this. @throws unless it is a float32 leaf. */
  requiresGrad_(wanted = true): this {
    if (!this.isLeaf) throw new UserError('requiresGrad_: only a leaf can change it; use detach() first');
    if (wanted && this.dtype !== 'float32')
      throw new UserError(`requiresGrad_: float32 is expected, not ${this.dtype}`);
    this.requiresGrad = wanted;
    return this;
  }

  // ── in place, for optimisers and gradients: nothing is recorded ──
  addInPlace(other: Tensor): this {
    addInPlace(this, other);
    return this;
  }
  copyInPlace(other: Tensor): this {
    copyInPlace(this, other);
    return this;
  }
  /** this [m, n] += a [m, k] · b [k, n]. */
  addProductInPlace(a: Tensor, b: Tensor): this {
    addProductInPlace(this, a, b);
    return this;
  }
  zerosLike(): Tensor {
    return Tensor.of(Storage.zeros(this.dtype, this.size), this.shape);
  }
  clone(): Tensor {
    return views.clone(this);
  }

  // ── types ──
  to(dtype: DType): Tensor {
    return elementwise.cast(this, dtype);
  }
  float(): Tensor {
    return this.to('float32');
  }
  int(): Tensor {
    return this.to('int32');
  }
  bool(): Tensor {
    return this.to('bool');
  }

  // ── elementwise, with broadcasting: ops/elementwise.ts ──
  add(other: Operand): Tensor {
    return elementwise.binary('add', this, other);
  }
  sub(other: Operand): Tensor {
    return elementwise.binary('sub', this, other);
  }
  mul(other: Operand): Tensor {
    return elementwise.binary('mul', this, other);
  }
  div(other: Operand): Tensor {
    return elementwise.binary('div', this, other);
  }
  pow(other: Operand): Tensor {
    return elementwise.binary('pow', this, other);
  }
  maximum(other: Operand): Tensor {
    return elementwise.binary('maximum', this, other);
  }
  minimum(other: Operand): Tensor {
    return elementwise.binary('minimum', this, other);
  }
  eq(other: Operand): Tensor {
    return elementwise.binary('eq', this, other);
  }
  ne(other: Operand): Tensor {
    return elementwise.binary('ne', this, other);
  }
  lt(other: Operand): Tensor {
    return elementwise.binary('lt', this, other);
  }
  le(other: Operand): Tensor {
    return elementwise.binary('le', this, other);
  }
  gt(other: Operand): Tensor {
    return elementwise.binary('gt', this, other);
  }
  ge(other: Operand): Tensor {
    return elementwise.binary('ge', this, other);
  }
  neg(): Tensor {
    return elementwise.unary('neg', this);
  }
  abs(): Tensor {
    return elementwise.unary('abs', this);
  }
  exp(): Tensor {
    return elementwise.unary('exp', this);
  }
  log(): Tensor {
    return elementwise.unary('log', this);
  }
  sqrt(): Tensor {
    return elementwise.unary('sqrt', this);
  }
  rsqrt(): Tensor {
    return elementwise.unary('rsqrt', this);
  }
  reciprocal(): Tensor {
    return elementwise.unary('reciprocal', this);
  }
  square(): Tensor {
    return elementwise.unary('square', this);
  }
  tanh(): Tensor {
    return elementwise.unary('tanh', this);
  }
  sigmoid(): Tensor {
    return elementwise.unary('sigmoid', this);
  }
  relu(): Tensor {
    return elementwise.unary('relu', this);
  }
  sin(): Tensor {
    return elementwise.unary('sin', this);
  }
  cos(): Tensor {
    return elementwise.unary('cos', this);
  }
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
  floor(): Tensor {
    return elementwise.unary('floor', this);
  }
  ceil(): Tensor {
    return elementwise.unary('ceil', this);
  }
  /** To the nearest whole number; from the middle to the even one, as in PyTorch. */
  round(): Tensor {
    return elementwise.unary('round', this);
  }
  trunc(): Tensor {
    return elementwise.unary('trunc', this);
  }
  /** 1, 0 or −1; 0 for NaN. */
  sign(): Tensor {
    return elementwise.unary('sign', this);
  }
  /** Held between two bounds, numbers or tensors, of which one may be null. */
  clamp(low: Operand | null, high?: Operand | null): Tensor {
    return elementwise.clamp(this, low, high);
  }
  maskedFill(mask: Tensor, value: number): Tensor {
    return elementwise.maskedFill(this, mask, value);
  }
  where(condition: Tensor, other: Operand): Tensor {
    return elementwise.where(condition, this, other);
  }

  // ── questions: ops/logic.ts ──
  isnan(): Tensor {
    return logic.isnan(this);
  }
  isinf(): Tensor {
    return logic.isinf(this);
  }
  isfinite(): Tensor {
    return logic.isfinite(this);
  }
  logicalNot(): Tensor {
    return logic.logicalNot(this);
  }
  logicalAnd(other: Tensor): Tensor {
    return logic.logical('and', this, other);
  }
  logicalOr(other: Tensor): Tensor {
    return logic.logical('or', this, other);
  }
  logicalXor(other: Tensor): Tensor {
    return logic.logical('xor', this, other);
  }
  /** Is any element not 0, along the axes or at all? bool. */
  any(axes?: Axes, keepdim = false): Tensor {
    return logic.any(this, axes, keepdim);
  }
  /** Is no element 0, along the axes or at all? bool. */
  all(axes?: Axes, keepdim = false): Tensor {
    return logic.all(this, axes, keepdim);
  }
  equal(other: Tensor): boolean {
    return logic.equal(this, other);
  }
  allclose(other: Tensor, options: logic.ClosenessOptions = {}): boolean {
    return logic.allclose(this, other, options);
  }
  nonzero(): Tensor {
    return logic.nonzero(this);
  }

  // ── products: ops/matmul.ts, ops/einsum.ts ──
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }
  outer(other: Tensor): Tensor {
    return outer(this, other);
  }

  // ── reductions: ops/reduce.ts ──
  sum(axes?: Axes, keepdim = false): Tensor {
    return reduce.sum(this, axes, keepdim);
  }
  mean(axes?: Axes, keepdim = false): Tensor {
    return reduce.mean(this, axes, keepdim);
  }
  var(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return reduce.variance(this, axes, options);
  }
  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return reduce.standardDeviation(this, axes, options);
  }
  /** The largest element of all; along one axis the largest ones and where they are (the first, if equal). */
  max(): Tensor;
  max(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor };
  max(axis?: number, keepdim = false) {
    return axis === undefined ? this.amax() : reduce.extremeAlong('max', this, axis, keepdim);
  }
  min(): Tensor;
  min(axis: number, keepdim?: boolean): { values: Tensor; indices: Tensor };
  min(axis?: number, keepdim = false) {
    return axis === undefined ? this.amin() : reduce.extremeAlong('min', this, axis, keepdim);
  }
  /** The largest over several axes; equal ones share the gradient. */
  amax(axes?: Axes, keepdim = false): Tensor {
    return reduce.extreme('max', this, axes, keepdim);
  }
  amin(axes?: Axes, keepdim = false): Tensor {
    return reduce.extreme('min', this, axes, keepdim);
  }
  argmax(axis?: number, keepdim = false): Tensor {
    return reduce.argExtreme('max', this, axis, keepdim);
  }
  argmin(axis?: number, keepdim = false): Tensor {
    return reduce.argExtreme('min', this, axis, keepdim);
  }
  norm(p = 2, axes?: Axes, keepdim = false): Tensor {
    return norm(this, p, axes, keepdim);
  }
  cumsum(axis: number): Tensor {
    return cumsum(this, axis);
  }
  softmax(axis = -1): Tensor {
    return softmax.softmax(this, axis);
  }
  logSoftmax(axis = -1): Tensor {
    return softmax.logSoftmax(this, axis);
  }

  // ── views: ops/views.ts ──
  contiguous(): Tensor {
    return views.contiguous(this);
  }
  reshape(...shape: (number | Shape)[]): Tensor {
    return views.reshape(this, shapeFrom(shape));
  }
  /** As reshape, but never copies. */
  view(...shape: (number | Shape)[]): Tensor {
    return views.view(this, shapeFrom(shape));
  }
  permute(...order: (number | Shape)[]): Tensor {
    return views.permute(this, shapeFrom(order));
  }
  transpose(axis0: number, axis1: number): Tensor {
    return views.transpose(this, axis0, axis1);
  }
  /** The transpose of a matrix. @throws for more than two axes. */
  t(): Tensor {
    if (this.ndim > 2) throw new UserError(`t: a matrix is expected, not ${this.ndim} axes; use transpose`);
    return this.ndim < 2 ? this : views.transpose(this, 0, 1);
  }
  get T(): Tensor {
    return this.t();
  }
  expand(...shape: (number | Shape)[]): Tensor {
    return views.expand(this, shapeFrom(shape));
  }
  slice(axis: number, start?: number, end?: number, step?: number): Tensor {
    return views.slice(this, axis, start, end, step);
  }
  narrow(axis: number, start: number, length: number): Tensor {
    return views.narrow(this, axis, start, length);
  }
  select(axis: number, position: number): Tensor {
    return views.select(this, axis, position);
  }
  unsqueeze(axis: number): Tensor {
    return views.unsqueeze(this, axis);
  }
  squeeze(axes?: Axes): Tensor {
    return views.squeeze(this, axes);
  }
  flatten(start = 0, end = -1): Tensor {
    return views.flatten(this, start, end);
  }
  split(sizes: number | readonly number[], axis = 0): Tensor[] {
    return views.split(this, sizes, axis);
  }

  chunk(chunks: number, axis = 0): Tensor[] {
    return views.chunk(this, chunks, axis);
  }
  unbind(axis = 0): Tensor[] {
    return views.unbind(this, axis);
  }
  diagonal(axis0 = 0, axis1 = 1): Tensor {
    return views.diagonal(this, axis0, axis1);
  }
  repeat(...times: (number | Shape)[]): Tensor {
    return repeat(this, shapeFrom(times));
  }
  repeatInterleave(repeats: number | readonly number[] | Tensor, axis?: number): Tensor {
    return repeatInterleave(this, repeats, axis);
  }

  // ── indexing: ops/indexing.ts and ops/subscript.ts ──
  indexSelect(axis: number, positions: Tensor | readonly number[]): Tensor {
    return indexing.indexSelect(this, axis, positions);
  }
  maskedSelect(mask: Tensor): Tensor {
    return indexing.maskedSelect(this, mask);
  }
  gather(axis: number, index: Tensor): Tensor {
    return indexing.gather(this, axis, index);
  }
  scatter(axis: number, index: Tensor, source: Tensor | number): Tensor {
    return scatter(this, axis, index, source);
  }
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor {
    return scatterAdd(this, axis, index, source);
  }
  indexAdd(axis: number, index: Tensor, source: Tensor, alpha = 1): Tensor {
    return indexAdd(this, axis, index, source, alpha);
  }
  bincount(weights?: Tensor | null, minlength = 0): Tensor {
    return bincount(this, weights, minlength);
  }
  /** The k largest along an axis, the largest first, and where they are; with `largest` false the smallest. */
  topk(k: number, axis = -1, options: boolean | TopkOptions = {}): { values: Tensor; indices: Tensor } {
    return order.topk(this, k, axis, options);
  }
  sort(axis = -1, descending = false): { values: Tensor; indices: Tensor } {
    return order.sort(this, axis, descending);
  }
  argsort(axis = -1, descending = false): Tensor {
    return order.argsort(this, axis, descending);
  }
  tril(diagonal = 0): Tensor {
    return indexing.triangle('lower', this, diagonal);
  }
  triu(diagonal = 0): Tensor {
    return indexing.triangle('upper', this, diagonal);
  }
  multinomial(count: number, replacement = false): Tensor {
    return indexing.multinomial(this, count, replacement);
  }
  /** Subscripts as Python writes them: `x.index(null, -1)` is `x[:, -1]`. See ops/subscript.ts. */
  index(...subscripts: Subscript[]): Tensor {
    return subscript(this, subscripts);
  }
  /**
   * `x[subscripts] = value`, or `+=` with `accumulate`: `x.indexPutInPlace([null, -1], 0)` is `x[:, -1] = 0`.
   * Returns x. Nothing is recorded.
   */
  indexPutInPlace(
    subscripts: readonly Subscript[],
    value: Tensor | number,
    options: { accumulate?: boolean } = {},
  ): this {
    checkOptions('indexPutInPlace', options, ['accumulate']);
    indexPutInPlace(this, subscripts, value, options.accumulate ?? false);
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
