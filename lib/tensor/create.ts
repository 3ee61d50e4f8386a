import {
  checkCount,
  checkFlag,
  checkNumber,
  checkOptions,
  checkSize,
  inWords,
  noMore,
} from '../arguments.ts';
import { type DType, Storage, type TypedArray } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { defaultGenerator } from '../random/index.ts';
import { checkDType, valueAs } from './dtype.ts';
import { formatShape, lengthsFrom, type Shape, sizeOf } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Numbers in arrays in arrays, all of one length on each level. */
export type Nested = number | boolean | readonly Nested[];

/** What every function that makes a tensor takes last. */
export interface TensorOptions {
  /** The type of the elements; float32 where the function does not say otherwise. */
  dtype?: DType;
  /** Is a gradient wanted? Float32 only. */
  requiresGrad?: boolean;
}

const TENSOR_OPTIONS = ['dtype', 'requiresGrad'] as const;

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
      throw new UserError(`tensor: the arrays do not all have the shape ${formatShape(shape)}`);
    out.push(values);
    return;
  }
  if (!Array.isArray(values)) throw new UserError(`tensor: numbers are expected, not ${inWords(values)}`);
  if (depth === shape.length)
    throw new UserError(`tensor: the arrays do not all have the shape ${formatShape(shape)}`);
  if (values.length !== shape[depth]) {
    throw new UserError(`tensor: rows of ${shape[depth]} and of ${values.length} elements are mixed`);
  }
  for (const value of values) flatten(value, shape, depth + 1, out);
}

function dtypeOfTypedArray(data: ArrayBufferView): DType {
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'bool';
  if (data instanceof Float32Array || data instanceof Float64Array) return 'float32';
  const kind = Object.prototype.toString.call(data).slice(8, -1);
  throw new UserError(`tensor: ${kind} is not one of Float32Array, Float64Array, Int32Array and Uint8Array`);
}

/** The storage's own memory (which the engine may want in its heap) filled with these numbers. */
export function storageFrom(values: ArrayLike<number | boolean>, dtype: DType, ...more: []): Storage {
  noMore('storageFrom', 2, more);
  if (!(Array.isArray(values) || ArrayBuffer.isView(values)))
    throw new UserError(`storageFrom: an array of numbers is expected, not ${inWords(values)}`);
  const storage = Storage.empty(checkDType(dtype, 'tensor'), values.length);
  const data: TypedArray = storage.data;
  const asItIs = dtype === 'float32' || (dtype === 'int32' && values instanceof Int32Array);
  if (asItIs) data.set(values as ArrayLike<number>);
  else for (let i = 0; i < data.length; i++) data[i] = valueAs(dtype, values[i], 'tensor');
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
  ...more: []
): Tensor {
  noMore('tensor', 2, more);
  checkOptions('tensor', options, TENSOR_OPTIONS);
  let shape: number[];
  let flat: ArrayLike<number | boolean>;
  let dtype: DType;
  if (ArrayBuffer.isView(values)) {
    const own = dtypeOfTypedArray(values);
    shape = [values.length];
    flat = values;
    dtype = options.dtype ?? own;
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
  checkFlag(requiresGrad, 'requiresGrad', 'tensor');
  if (requiresGrad && dtype !== 'float32')
    throw new UserError(`tensor: only float32 can require a gradient, not ${dtype}`);
  return requiresGrad;
}

/** Takes the last argument off when it holds options rather than a length. */
function splitOptions(args: ShapeArguments, what: string): [number[], TensorOptions] {
  const last = args.at(-1);
  const given = typeof last === 'object' && last !== null && !Array.isArray(last);
  const options = given ? (last as TensorOptions) : {};
  checkOptions(what, options, TENSOR_OPTIONS);
  return [lengthsFrom((given ? args.slice(0, -1) : args) as (number | Shape)[], what), options];
}

/** A shape as lengths or as one array, then options, e.g. `2, 3` or `[2, 3], { dtype: 'int32' }`. */
export type ShapeArguments = readonly (number | Shape | TensorOptions)[];

function filled(args: ShapeArguments, value: number, what: string): Tensor {
  const [shape, options] = splitOptions(args, what);
  const dtype = checkDType(options.dtype ?? 'float32', what);
  const storage = Storage.zeros(dtype, sizeOf(shape));
  const element = valueAs(dtype, value, what);
  if (element !== 0 || Object.is(element, -0)) storage.data.fill(element);
  const result = Tensor.of(storage, shape);
  result.requiresGrad = requireFloat(options.requiresGrad ?? false, dtype);
  return result;
}

/** `zeros(2, 3)`, `zeros([2, 3], { dtype })`. */
export function zeros(...args: ShapeArguments): Tensor {
  return filled(args, 0, 'zeros');
}

/** `ones(2, 3)`, `ones([2, 3], { dtype })`. */
export function ones(...args: ShapeArguments): Tensor {
  return filled(args, 1, 'ones');
}

/** `full([2, 3], value)`: float32 unless `dtype` says otherwise. */
export function full(shape: Shape | number, value: number, options: TensorOptions = {}, ...more: []): Tensor {
  noMore('full', 3, more);
  if (typeof value !== 'number') throw new UserError(`full: a number is expected, not ${inWords(value)}`);
  return filled([typeof shape === 'number' ? [shape] : shape, options], value, 'full');
}

/**
 * `arange(end)`, `arange(start, end, step)`: start, start + step, … below end. As in PyTorch the result is
 * of integers (int32) when the arguments are.
 */
export function arange(
  start: number,
  end?: number,
  by = 1,
  options: TensorOptions = {},
  ...more: []
): Tensor {
  noMore('arange', 4, more);
  checkOptions('arange', options, TENSOR_OPTIONS);
  // PyTorch counts booleans as 0 and 1 here.
  const [from, to] = (end === undefined ? [0, start] : [start, end]).map(withoutBooleans);
  const step = withoutBooleans(by);
  for (const bound of [from, to, step]) checkNumber(bound, 'each of start, end and step', 'arange');
  const steps = (to - from) / step;
  if (!(steps >= 0 && steps < Infinity))
    throw new UserError(`arange: from ${from} to ${to} in steps of ${step} is never reached`);
  const length = checkSize(Math.ceil(steps), 'arange');
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? 'int32' : 'float32');
  // Whole numbers are counted in whole steps, as in PyTorch.
  const [first, stride] = dtype === 'int32' ? [Math.trunc(from), Math.trunc(step)] : [from, step];
  return tensor(
    Float64Array.from({ length }, (_, i) => first + i * stride),
    { ...options, dtype },
  );
}

const withoutBooleans = (bound: number) => (typeof bound === 'boolean' ? Number(bound) : bound);

/** The identity matrix of n rows, and of m columns if not also n. */
export function eye(n: number, m: number = n, options: TensorOptions = {}, ...more: []): Tensor {
  noMore('eye', 3, more);
  checkCount(n, 0, 'the number of rows', 'eye');
  checkCount(m, 0, 'the number of columns', 'eye');
  const out = zeros([n, m], options);
  const data = out.storage.writable;
  for (let i = 0; i < Math.min(n, m); i++) data[i * m + i] = 1;
  return out;
}

/** `steps` numbers at equal distances from `start` to `end`, both included: float32 [steps], as torch.linspace. */
export function linspace(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions = {},
  ...more: []
): Tensor {
  noMore('linspace', 4, more);
  checkOptions('linspace', options, TENSOR_OPTIONS);
  for (const bound of [start, end]) checkNumber(bound, 'each end', 'linspace');
  checkSize(checkCount(steps, 0, 'steps', 'linspace'), 'linspace');
  // From both ends, so that both are met.
  const { dtype = 'float32' } = options;
  // As PyTorch computes it: between whole numbers for int32, and in float32 for float32.
  const isWhole = dtype === 'int32';
  const round = isWhole ? (x: number) => x : Math.fround;
  const [first, last] = [start, end].map(isWhole ? Math.trunc : Math.fround);
  const step = steps > 1 ? round(round(last - first) / (steps - 1)) : 0;
  const values = Float64Array.from({ length: steps }, (_, i) =>
    i < steps / 2 ? first + round(step * i) : last - round(step * (steps - 1 - i)),
  );
  return tensor(values, { ...options, dtype });
}

function drawn(args: ShapeArguments, what: string, draw: (count: number) => Float32Array): Tensor {
  const [shape, options] = splitOptions(args, what);
  const { dtype = 'float32', requiresGrad = false } = options;
  if (dtype !== 'float32') throw new UserError(`${what}: its numbers are float32, not ${inWords(dtype)}`);
  const result = Tensor.of(storageFrom(draw(sizeOf(shape)), dtype), shape);
  result.requiresGrad = requireFloat(requiresGrad, dtype);
  return result;
}

/** Uniform on [0, 1): the numbers of torch.rand from the same seed. */
export function rand(...args: ShapeArguments): Tensor {
  return drawn(args, 'rand', (count) => defaultGenerator.uniform(count));
}

/** Standard normal: the numbers of torch.randn from the same seed. */
export function randn(...args: ShapeArguments): Tensor {
  return drawn(args, 'randn', (count) => defaultGenerator.normal(count));
}

/** `randint(high, shape)` or `randint(low, high, shape)`: int32 on [low, high), as torch.randint draws. */
export function randint(low: number, high: number | Shape, shape?: Shape | number, ...more: []): Tensor {
  noMore('randint', 3, more);
  const [from, to, size] = shape === undefined ? [0, low, high] : [low, high as number, shape];
  const lengths = lengthsFrom([size], 'randint');
  return tensor(defaultGenerator.randint(sizeOf(lengths), from, to)).reshape(lengths);
}

/** 0 … n − 1 in the random order of torch.randperm. */
export function randperm(n: number, ...more: []): Tensor {
  noMore('randperm', 1, more);
  return tensor(defaultGenerator.randperm(n));
}
