import type { BinaryOp, Strided, UnaryOp } from '../../kernels.ts';
import type { DType, Storage } from '../../storage.ts';
import { isContiguous, rowMajorStrides, sizeOf } from '../../strided.ts';
import { type Engine, Kind } from '../engine.ts';
import { copyTo } from './copy.ts';
import { type Folded, fold } from './fold.ts';

/** Plans the elementwise kernels: folds views into rows and cuts them into tasks. The loops are in assembly/. */

/** The operations by number, as in assembly/elementwise.ts; `undefined` leaves one to `js`. */
const UNARY: Record<UnaryOp, number | undefined> = {
  neg: 0,
  abs: 1,
  exp: 2,
  log: 3,
  sqrt: 4,
  rsqrt: 5,
  reciprocal: 6,
  square: 7,
  tanh: 8,
  sigmoid: 9,
  relu: 10,
  gelu: 11,
  sin: undefined,
  cos: undefined,
};
const LEFT_TO_JS = {
  pow: undefined,
  eq: undefined,
  ne: undefined,
  lt: undefined,
  le: undefined,
  gt: undefined,
  ge: undefined,
};
const BINARY: Record<BinaryOp, number | undefined> = {
  ...{ add: 0, sub: 1, mul: 2, div: 3, maximum: 4, minimum: 5 },
  ...LEFT_TO_JS,
};
const GELU_BACKWARD = 6;

/** Elements of one task. */
const TASK = 16384;
/** Kernels with fewer elements stay on the calling thread. */
export const THREADED_ELEMENTS = 32768;
/** Outer dimensions that the kernels can count, and the argument word where these begin: as in assembly/rows.ts. */
const MOST_OUTER = 5;
const OUTER = 16;

/** The view itself, or a row-major copy for this call. */
export function rowMajorOrCopy(engine: Engine, x: Strided): Strided | number {
  return isContiguous(x) ? x : copyTo(engine, x);
}

/** The address of a view's numbers in row-major order, copied for this call if they lie in another. */
export function rowMajorAddress(engine: Engine, x: Strided): number {
  const there = rowMajorOrCopy(engine, x);
  return typeof there === 'number' ? there : engine.address(there);
}

/** Can the kernels run along these views' innermost dimension? */
function hasRows({ lengths, strides }: Folded): boolean {
  const inner = lengths.length - 1;
  return lengths.length <= MOST_OUTER + 1 && strides.every((list) => list[inner] === 0 || list[inner] === 1);
}

/** Runs an elementwise job over `inputs`, all of one shape, into a new storage. */
function elementwise(
  engine: Engine,
  kind: number,
  op: number,
  inputs: readonly Strided[],
  dtype: DType,
): Storage | undefined {
  const { shape } = inputs[0];
  const total = sizeOf(shape);
  const out = engine.empty(total, dtype);
  if (total === 0) return out;
  let folded = fold(shape, inputs);
  let addresses: number[];
  if (hasRows(folded)) {
    addresses = inputs.map((x) => engine.address(x));
  } else {
    // Four-byte elements can be brought into order first; bytes cannot.
    if (inputs.some((x) => x.storage.dtype === 'bool')) return undefined;
    const copies = inputs.map((x) => rowMajorOrCopy(engine, x));
    addresses = copies.map((copy) => (typeof copy === 'number' ? copy : engine.address(copy)));
    const strides = rowMajorStrides(shape);
    folded = fold(
      shape,
      inputs.map(() => ({ strides })),
    );
  }
  const { rows, length } = writeRows(engine, folded, inputs, total);
  const perTask = Math.max(1, Math.floor(TASK / length));
  const words = engine.integers;
  words.set([op, perTask, rows, length, total]);
  words.set(addresses, 5);
  words[11] = engine.target(out);
  engine.run(kind, Math.ceil(rows / perTask), total >= THREADED_ELEMENTS);
  return out;
}

/** Writes the arguments that describe rows. A single long row becomes several. */
function writeRows(engine: Engine, { lengths, strides }: Folded, inputs: readonly Strided[], total: number) {
  const words = engine.integers;
  const inner = lengths.length - 1;
  let length = lengths[inner];
  const outer: number[][] = [];
  if (inner === 0 && length > TASK) {
    length = TASK;
    outer.push([Math.ceil(total / TASK), ...strides.map((list) => list[0] * TASK)]);
  }
  for (let axis = inner - 1; axis >= 0; axis--)
    outer.push([lengths[axis], ...strides.map((list) => list[axis])]);
  words.set(
    strides.map((list) => list[inner]),
    8,
  );
  words[OUTER] = outer.length;
  outer.forEach(([count, ...steps], i) => {
    const at = OUTER + 1 + 4 * i;
    words[at] = count;
    steps.forEach((step, v) => {
      words[at + 1 + v] = step * inputs[v].storage.data.BYTES_PER_ELEMENT;
    });
  });
  return { rows: Math.ceil(total / length), length };
}

const areFloats = (views: readonly Strided[]) => views.every((x) => x.storage.dtype === 'float32');

export function unary(engine: Engine, op: UnaryOp, x: Strided): Storage | undefined {
  const number = UNARY[op];
  if (number === undefined || !areFloats([x])) return undefined;
  return elementwise(engine, Kind.unary, number, [x], 'float32');
}

export function binary(engine: Engine, op: BinaryOp, a: Strided, b: Strided): Storage | undefined {
  const number = BINARY[op];
  if (number === undefined || !areFloats([a, b])) return undefined;
  return elementwise(engine, Kind.binary, number, [a, b], 'float32');
}

export function geluBackward(engine: Engine, x: Strided, g: Strided): Storage | undefined {
  return elementwise(engine, Kind.binary, GELU_BACKWARD, [x, g], 'float32');
}

export function where(engine: Engine, condition: Strided, a: Strided, b: Strided): Storage | undefined {
  if (condition.storage.dtype !== 'bool' || a.storage.dtype === 'bool') return undefined;
  return elementwise(engine, Kind.where, 0, [condition, a, b], a.storage.dtype);
}

/** To float32, from whole numbers and bools. */
export function cast(engine: Engine, x: Strided, dtype: DType): Storage | undefined {
  if (dtype !== 'float32' || x.storage.dtype === 'float32' || !isContiguous(x)) return undefined;
  const total = sizeOf(x.shape);
  const out = engine.empty(total);
  engine.integers.set([x.storage.dtype === 'bool' ? 0 : 1, TASK, 0, 0, total, engine.address(x)]);
  engine.integers[11] = engine.target(out);
  engine.run(Kind.cast, Math.ceil(total / TASK), total >= THREADED_ELEMENTS);
  return out;
}
