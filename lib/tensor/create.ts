import { type DType, Storage, type TypedArray } from '../backend/storage.ts';
import { defaultGenerator } from '../random/index.ts';
import { formatShape, type Shape, shapeFrom, sizeOf } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Numbers in arrays in arrays, all of one length on each level. */
export type Nested = number | boolean | readonly Nested[];

export interface TensorOptions {
  dtype?: DType;
  requiresGrad?: boolean;
}

function shapeOfNested(values: Nested): number[] {
  const shape: number[] = [];
  for (let level: Nested = values; Array.isArray(level); level = level[0] as Nested) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  return shape;
}

function flatten(values: Nested, shape: Shape, depth: number, out: (number | boolean)[]): void {
  if (typeof values === 'number' || typeof values === 'boolean') {
    if (depth !== shape.length)
      throw new Error(`tensor: the arrays do not all have the shape ${formatShape(shape)}`);
    out.push(values);
    return;
  }
  if (!Array.isArray(values)) throw new Error(`tensor: numbers are expected, not ${String(values)}`);
  if (depth === shape.length)
    throw new Error(`tensor: the arrays do not all have the shape ${formatShape(shape)}`);
  if (values.length !== shape[depth]) {
    throw new Error(`tensor: rows of ${shape[depth]} and of ${values.length} elements are mixed`);
  }
  for (const value of values) flatten(value, shape, depth + 1, out);
}

function dtypeOfTypedArray(data: ArrayBufferView): DType {
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Uint8Array ? 'bool' : 'float32';
}

/** The storage's own memory (which the engine may want in its heap) filled with these numbers. */
export function storageFrom(values: ArrayLike<number | boolean>, dtype: DType): Storage {
  const storage = Storage.empty(dtype, values.length);
  const data: TypedArray = storage.data;
  if (dtype === 'bool') for (let i = 0; i < data.length; i++) data[i] = values[i] ? 1 : 0;
  else data.set(values as ArrayLike<number>);
  return storage;
}

/**
 * A tensor of the given numbers: nested arrays, one number, or a typed array (of one axis).
 * Plain numbers become float32 unless `dtype` says otherwise, booleans bool; a typed array keeps its own type.
 * @throws if rows of different lengths are mixed.
 */
export function tensor(
  values: Nested | Float32Array | Float64Array | Int32Array | Uint8Array,
  options: TensorOptions = {},
): Tensor {
  let shape: number[];
  let flat: ArrayLike<number | boolean>;
  let dtype: DType;
  if (ArrayBuffer.isView(values)) {
    shape = [values.length];
    flat = values;
    dtype = options.dtype ?? dtypeOfTypedArray(values);
  } else {
    shape = shapeOfNested(values);
    const list: (number | boolean)[] = [];
    flatten(values, shape, 0, list);
    flat = list;
    dtype =
      options.dtype ?? (list.length > 0 && list.every((v) => typeof v === 'boolean') ? 'bool' : 'float32');
  }
  const result = Tensor.of(storageFrom(flat, dtype), shape);
  result.requiresGrad = requireFloat(options.requiresGrad ?? false, dtype);
  return result;
}

function requireFloat(requiresGrad: boolean, dtype: DType): boolean {
  if (requiresGrad && dtype !== 'float32')
    throw new Error(`tensor: only float32 can require a gradient, not ${dtype}`);
  return requiresGrad;
}

/** Takes the last argument off when it holds options rather than a length. */
function splitOptions(args: readonly (number | Shape | TensorOptions)[]): [number[], TensorOptions] {
  const last = args.at(-1);
  if (typeof last === 'object' && !Array.isArray(last)) {
    return [shapeFrom(args.slice(0, -1) as (number | Shape)[]), last as TensorOptions];
  }
  return [shapeFrom(args as (number | Shape)[]), {}];
}

type ShapeArguments = readonly (number | Shape | TensorOptions)[];

function filled(args: ShapeArguments, value: number): Tensor {
  const [shape, options] = splitOptions(args);
  const dtype = options.dtype ?? 'float32';
  const storage = Storage.zeros(dtype, sizeOf(shape));
  if (value !== 0) storage.data.fill(value);
  const result = Tensor.of(storage, shape);
  result.requiresGrad = requireFloat(options.requiresGrad ?? false, dtype);
  return result;
}

/** `zeros(2, 3)`, `zeros([2, 3], { dtype })`. */
export function zeros(...args: ShapeArguments): Tensor {
  return filled(args, 0);
}

export function ones(...args: ShapeArguments): Tensor {
  return filled(args, 1);
}

/** `full([2, 3], value)`. */
export function full(shape: Shape | number, value: number, options: TensorOptions = {}): Tensor {
  return filled([typeof shape === 'number' ? [shape] : shape, options], value);
}

/**
 * `arange(end)`, `arange(start, end, step)`: start, start + step, … below end. As in PyTorch the result is
 * of integers (int32) when the arguments are.
 */
export function arange(start: number, end?: number, step = 1, options: TensorOptions = {}): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  const length = Math.ceil((to - from) / step);
  if (!(length >= 0 && length < Infinity))
    throw new Error(`arange: from ${from} to ${to} in steps of ${step} is never reached`);
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? 'int32' : 'float32');
  return tensor(
    Float64Array.from({ length }, (_, i) => from + i * step),
    { ...options, dtype },
  );
}

/** The n × n identity matrix. */
export function eye(n: number): Tensor {
  const out = zeros(n, n);
  const data = out.storage.writable;
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return out;
}

function drawn(args: ShapeArguments, draw: (count: number) => Float32Array): Tensor {
  const [shape, options] = splitOptions(args);
  const dtype = options.dtype ?? 'float32';
  const result = Tensor.of(storageFrom(draw(sizeOf(shape)), dtype), shape);
  result.requiresGrad = requireFloat(options.requiresGrad ?? false, dtype);
  return result;
}

/** Uniform on [0, 1): the numbers of torch.rand from the same seed. */
export function rand(...args: ShapeArguments): Tensor {
  return drawn(args, (count) => defaultGenerator.uniform(count));
}

/** Standard normal: the numbers of torch.randn from the same seed. */
export function randn(...args: ShapeArguments): Tensor {
  return drawn(args, (count) => defaultGenerator.normal(count));
}

/** `randint(high, shape)` or `randint(low, high, shape)`: int32 on [low, high), as torch.randint draws. */
export function randint(low: number, high: number | Shape, shape?: Shape): Tensor {
  const [from, to, size] = shape ? [low, high as number, shape] : [0, low, high as Shape];
  if (!(to > from)) throw new Error(`randint: there is no integer from ${from} up to, not including, ${to}`);
  return tensor(defaultGenerator.randint(sizeOf(size), from, to)).reshape([...size]);
}

/** 0 … n − 1 in the random order of torch.randperm. */
export function randperm(n: number): Tensor {
  return tensor(defaultGenerator.randperm(n));
}
