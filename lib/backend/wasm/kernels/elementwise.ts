import type { BinaryOp, Strided, UnaryOp } from '../../kernels.ts';
import { type DType, type ElementType, isBytes, type Storage } from '../../storage.ts';
import { type Folded, fold, isContiguous, rowMajorStrides, sizeOf } from '../../strided.ts';
import type { Engine } from '../engine.ts';
import { Binary, CastFrom, MOST_OUTER, Unary } from '../protocol.ts';
import { copyTo } from './copy.ts';

/** Plans the elementwise kernels: folds views into rows and cuts them into tasks. The loops are in assembly/. */

/** What the kernels have by number; `undefined` leaves an operation to `js`. */
const UNARY: Record<UnaryOp, number | undefined> = {
  ...Unary,
  ...{ sin: undefined, cos: undefined, erf: undefined, log1p: undefined, expm1: undefined },
  ...{ floor: undefined, ceil: undefined, round: undefined, trunc: undefined, sign: undefined },
};
const LEFT_TO_JS = {
  ...{ pow: undefined, eq: undefined, ne: undefined },
  ...{ lt: undefined, le: undefined, gt: undefined, ge: undefined },
};
const BINARY: Record<BinaryOp, number | undefined> = { ...Binary, ...LEFT_TO_JS };

/** Elements of one task. */
const TASK = 16384;
/** Kernels with fewer elements stay on the calling thread. */
export const THREADED_ELEMENTS = 32768;

/** The view itself, or a row-major copy for this call. */
function rowMajorOrCopy(engine: Engine, x: Strided): Strided | number {
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
  job: 'unary' | 'binary' | 'where',
  op: number,
  inputs: readonly Strided[],
  dtype: ElementType,
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
    if (inputs.some((x) => isBytes(x.storage))) return undefined;
    const copies = inputs.map((x) => rowMajorOrCopy(engine, x));
    addresses = copies.map((copy) => (typeof copy === 'number' ? copy : engine.address(copy)));
    const strides = rowMajorStrides(shape);
    folded = fold(
      shape,
      inputs.map(() => ({ strides })),
    );
  }
  run(engine, job, op, folded, inputs, addresses, out);
  return out;
}

/** Runs the job over folded views. A single long row becomes several. */
function run(
  engine: Engine,
  job: 'unary' | 'binary' | 'where' | 'rotary',
  op: number,
  { lengths, strides }: Folded,
  inputs: readonly Strided[],
  operands: readonly number[],
  out: Storage,
): void {
  const total = sizeOf(lengths);
  const inner = lengths.length - 1;
  const isCut = inner === 0 && lengths[0] > TASK;
  const length = isCut ? TASK : lengths[inner];
  const outerLengths: number[] = isCut ? [Math.ceil(total / TASK)] : [];
  for (let axis = inner - 1; axis >= 0; axis--) outerLengths.push(lengths[axis]);
  const outerBytes: number[] = [];
  for (let i = 0; i < outerLengths.length; i++) {
    for (let v = 0; v < 3; v++) {
      const step = v >= strides.length ? 0 : isCut ? strides[v][0] * TASK : strides[v][inner - 1 - i];
      outerBytes.push(v < inputs.length ? step * inputs[v].storage.data.BYTES_PER_ELEMENT : 0);
    }
  }
  const rows = Math.ceil(total / length);
  const rowsPerTask = Math.max(1, Math.floor(TASK / length));
  const args = {
    op,
    rowsPerTask,
    rows,
    length,
    total,
    operands,
    steps: strides.map((list) => list[inner]),
    out: engine.target(out),
    outerDimensions: outerLengths.length,
    outerLengths,
    outerBytes,
  };
  engine.run(job, args, Math.ceil(rows / rowsPerTask), total >= THREADED_ELEMENTS);
}

const areFloats = (views: readonly Strided[]) => views.every((x) => x.storage.dtype === 'float32');

export function unary(engine: Engine, op: UnaryOp, x: Strided): Storage | undefined {
  const number = UNARY[op];
  if (number === undefined || !areFloats([x])) return undefined;
  return elementwise(engine, 'unary', number, [x], 'float32');
}

export function binary(engine: Engine, op: BinaryOp, a: Strided, b: Strided): Storage | undefined {
  const number = BINARY[op];
  if (number === undefined || !areFloats([a, b])) return undefined;
  return elementwise(engine, 'binary', number, [a, b], 'float32');
}

export function geluBackward(engine: Engine, x: Strided, g: Strided): Storage | undefined {
  return elementwise(engine, 'binary', Binary.geluBackward, [x, g], 'float32');
}

export function siluBackward(engine: Engine, x: Strided, g: Strided): Storage | undefined {
  return elementwise(engine, 'binary', Binary.siluBackward, [x, g], 'float32');
}

export function where(engine: Engine, condition: Strided, a: Strided, b: Strided): Storage | undefined {
  if (condition.storage.dtype !== 'bool' || isBytes(a.storage)) return undefined;
  return elementwise(engine, 'where', 0, [condition, a, b], a.storage.dtype);
}

/** To float32, from whole numbers and bools. */
export function cast(engine: Engine, x: Strided, dtype: DType): Storage | undefined {
  if (dtype !== 'float32' || !Object.hasOwn(CastFrom, x.storage.dtype) || !isContiguous(x)) return undefined;
  const total = sizeOf(x.shape);
  const out = engine.empty(total);
  const from = CastFrom[x.storage.dtype as keyof typeof CastFrom];
  const args = { from, elementsPerTask: TASK, total, x: engine.address(x), out: engine.target(out) };
  engine.run('cast', args, Math.ceil(total / TASK), total >= THREADED_ELEMENTS);
  return out;
}

/** Folds the first halves of x's rows; the second ones lie beside them, in x and in the result. */
export function rotary(
  engine: Engine,
  x: Strided,
  cos: Strided,
  sin: Strided,
  back: boolean,
): Storage | undefined {
  const half = cos.shape[1];
  const { storage, offset, strides } = x;
  const shape = [...x.shape.slice(0, -1), half];
  const leading = new Array<number>(shape.length - 2).fill(0);
  const along = ({ storage, offset, strides }: Strided) => ({
    ...{ storage, offset, shape },
    strides: [...leading, ...strides],
  });
  const halves = [{ storage, offset, shape, strides }, along(cos), along(sin)];
  const folded = fold(shape, halves);
  const inner = folded.lengths.length - 1;
  const inPieces = [x, cos, sin].every((view) => view.strides.at(-1) === 1);
  const size = sizeOf(shape);
  if (size === 0 || !inPieces || !hasRows(folded) || folded.lengths[inner] !== half || half > TASK)
    return undefined;
  const out = engine.empty(2 * size);
  const addresses = halves.map((view) => engine.address(view));
  run(engine, 'rotary', back ? 1 : 0, folded, halves, addresses, out);
  return out;
}
