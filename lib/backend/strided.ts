import type { Strided } from './kernels.ts';
import { Storage, type TypedArray } from './storage.ts';

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** Strides of a row-major array of that shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Are the elements next to each other in row-major order? (Where they begin does not matter.) */
export function isContiguous(x: Strided): boolean {
  let expected = 1;
  for (let axis = x.shape.length - 1; axis >= 0; axis--) {
    if (x.shape[axis] === 0) return true;
    if (x.shape[axis] !== 1) {
      if (x.strides[axis] !== expected) return false;
      expected *= x.shape[axis];
    }
  }
  return true;
}

/** Calls `visit` with the position of each element of each view, in row-major order; the shapes are equal. */
export function forEachElement(views: readonly Strided[], visit: (positions: number[]) => void): void {
  const shape = views[0].shape;
  const rank = shape.length;
  const count = sizeOf(shape);
  const positions = views.map((view) => view.offset);
  const index = new Array<number>(rank).fill(0);
  for (let i = 0; i < count; i++) {
    visit(positions);
    for (let axis = rank - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) {
        for (let v = 0; v < views.length; v++) positions[v] += views[v].strides[axis];
        break;
      }
      index[axis] = 0;
      for (let v = 0; v < views.length; v++) positions[v] -= views[v].strides[axis] * (shape[axis] - 1);
    }
  }
}

/** Copies a view's elements, in row-major order, to `target[from…]`. */
export function copyElements(x: Strided, target: TypedArray, from = 0): void {
  const source = x.storage.data;
  if (isContiguous(x)) {
    target.set(source.subarray(x.offset, x.offset + sizeOf(x.shape)), from);
    return;
  }
  // Row by row: the steps along the last axis are a plain loop.
  const rank = x.shape.length;
  const length = x.shape[rank - 1];
  const stride = x.strides[rank - 1];
  const rows = { ...viewOf(x), shape: x.shape.slice(0, -1), strides: x.strides.slice(0, -1) };
  let to = from;
  forEachElement([rows], ([start]) => {
    for (let i = 0; i < length; i++) target[to++] = source[start + i * stride];
  });
}

/** Only what a kernel reads of a view; a tensor has more. */
function viewOf({ storage, shape, strides, offset }: Strided): Strided {
  return { storage, shape, strides, offset };
}

/** A view's elements in row-major order, to read: without a copy where they already are. */
export function rowMajor<T extends TypedArray = Float32Array>(x: Strided): T {
  const size = sizeOf(x.shape);
  if (isContiguous(x)) return x.storage.data.subarray(x.offset, x.offset + size) as T;
  const copy = new (x.storage.data.constructor as new (length: number) => TypedArray)(size);
  copyElements(x, copy);
  return copy as T;
}

/** New float32 memory of that length, and the storage around it. */
export function newFloats(length: number): { storage: Storage; data: Float32Array } {
  const storage = Storage.zeros('float32', length);
  return { storage, data: storage.data as Float32Array };
}

/** [rows, columns] of a view read along its last axis. */
export function rowsAndColumns(x: Strided): [number, number] {
  const columns = x.shape.at(-1) ?? 1;
  return [columns === 0 ? 0 : sizeOf(x.shape) / columns, columns];
}

/** The dimensions that several views of one shape share, outermost first: as few as describe them all. */
export interface Folded {
  lengths: number[];
  /** For each view, the elements from one index to the next along each dimension. */
  strides: number[][];
}

/** Leaves out dimensions of length 1 and joins neighbours that every view runs through in one go. */
export function fold(shape: readonly number[], views: readonly Pick<Strided, 'strides'>[]): Folded {
  const lengths: number[] = [];
  const strides: number[][] = views.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis];
    if (length === 1) continue;
    const last = lengths.length - 1;
    const joins = last >= 0 && views.every((view, v) => strides[v][last] === view.strides[axis] * length);
    if (joins) lengths[last] *= length;
    else lengths.push(length);
    views.forEach((view, v) => {
      strides[v][joins ? last : last + 1] = view.strides[axis];
    });
  }
  if (lengths.length === 0) {
    lengths.push(1);
    for (const list of strides) list.push(1);
  }
  return { lengths, strides };
}
