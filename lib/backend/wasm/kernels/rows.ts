import type { ReduceOp, Strided } from '../../kernels.ts';
import type { Storage } from '../../storage.ts';
import { rowsAndColumns, sizeOf } from '../../strided.ts';
import { type Engine, Kind } from '../engine.ts';
import { rowMajorAddress, THREADED_ELEMENTS } from './elementwise.ts';

/** Kernels that work row by row: softmax and its relatives, layer norm, cross-entropy, reductions. */

/** Elements of one task. */
const TASK = 8192;
/** Columns of one task where sums go down the columns: two cache lines. */
const COLUMNS = 32;

/** Runs a kernel over [rows, columns] whose tasks are some rows: the first three arguments say which. */
function runRows(engine: Engine, kind: number, rows: number, columns: number): void {
  const perTask = Math.max(1, Math.floor(TASK / columns));
  engine.integers.set([perTask, rows, columns]);
  engine.run(kind, Math.ceil(rows / perTask), rows * columns >= THREADED_ELEMENTS);
}

/** softmax, log-softmax and their derivatives: one or two views in, one storage of the same shape out. */
function likeSoftmax(
  engine: Engine,
  kind: number,
  views: readonly Strided[],
  scale: number,
  causal: boolean,
): Storage | undefined {
  const [rows, columns] = rowsAndColumns(views[0]);
  const out = engine.empty(rows * columns);
  if (out.length === 0) return out;
  const addresses = views.map((view) => rowMajorAddress(engine, view));
  engine.integers.set(addresses, 3);
  engine.integers[5] = engine.target(out);
  engine.floats[6] = scale;
  engine.integers[7] = causal ? 1 : 0;
  runRows(engine, kind, rows, columns);
  return out;
}

export const softmax = (engine: Engine, x: Strided) => likeSoftmax(engine, Kind.softmax, [x], 1, false);
export const softmaxBackward = (engine: Engine, y: Strided, g: Strided) =>
  likeSoftmax(engine, Kind.softmaxBackward, [y, g], 1, false);
export const causalSoftmax = (engine: Engine, x: Strided, scale: number) =>
  likeSoftmax(engine, Kind.softmax, [x], scale, true);
export const causalSoftmaxBackward = (engine: Engine, y: Strided, g: Strided, scale: number) =>
  likeSoftmax(engine, Kind.softmaxBackward, [y, g], scale, true);
export const logSoftmax = (engine: Engine, x: Strided) => likeSoftmax(engine, Kind.logSoftmax, [x], 1, false);
export const logSoftmaxBackward = (engine: Engine, y: Strided, g: Strided) =>
  likeSoftmax(engine, Kind.logSoftmaxBackward, [y, g], 1, false);

export function layerNorm(engine: Engine, x: Strided, scale: Strided, shift: Strided, eps: number) {
  const [rows, d] = x.shape;
  const y = engine.empty(rows * d);
  const mean = engine.empty(rows);
  const rstd = engine.empty(rows);
  if (rows * d === 0) return undefined;
  const addresses = [x, scale, shift].map((view) => rowMajorAddress(engine, view));
  engine.integers.set([...addresses, engine.target(y), engine.target(mean), engine.target(rstd)], 3);
  engine.floats[9] = eps;
  runRows(engine, Kind.layerNorm, rows, d);
  return { y, mean, rstd };
}

export function layerNormBackward(
  engine: Engine,
  g: Strided,
  x: Strided,
  scale: Strided,
  mean: Storage,
  rstd: Storage,
  parameters: boolean,
) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const dx = engine.empty(rows * d);
  const dscale = parameters ? engine.empty(d) : undefined;
  const dshift = parameters ? engine.empty(d) : undefined;
  const addresses = [x, scale, g].map((view) => rowMajorAddress(engine, view));
  const target = engine.target(dx);
  engine.integers.set([...addresses, target, engine.addressOf(mean), engine.addressOf(rstd)], 3);
  runRows(engine, Kind.layerNormBackward, rows, d);
  if (dscale && dshift) {
    engine.integers.set([engine.target(dscale), engine.target(dshift), COLUMNS], 10);
    engine.run(Kind.layerNormParameters, Math.ceil(d / COLUMNS), rows * d >= THREADED_ELEMENTS);
  }
  return { dx, dscale, dshift };
}

function countTargets(targets: Int32Array, ignoreIndex: number): number {
  let counted = 0;
  for (const target of targets) if (target !== ignoreIndex) counted++;
  return counted;
}

/** The targets of each row, as numbers on the host. */
function readTargets(targets: Strided): Int32Array {
  const data = targets.storage.data as Int32Array;
  return Int32Array.from(
    { length: targets.shape[0] },
    (_, i) => data[targets.offset + i * targets.strides[0]],
  );
}

export function crossEntropy(engine: Engine, logits: Strided, targets: Strided, ignoreIndex: number) {
  const [rows, classes] = logits.shape;
  if (rows * classes === 0) return undefined;
  const logSumExp = engine.empty(rows);
  const loss = engine.empty(1);
  const x = rowMajorAddress(engine, logits);
  engine.integers[3] = x;
  engine.integers[5] = engine.target(logSumExp);
  runRows(engine, Kind.logSumExp, rows, classes);
  engine.giveBack();
  const wanted = readTargets(targets);
  const data = logits.storage.data;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    if (wanted[row] === ignoreIndex) continue;
    const at = logits.offset + row * logits.strides[0] + wanted[row] * logits.strides[1];
    sum += logSumExp.data[row] - data[at];
  }
  loss.data[0] = sum / countTargets(wanted, ignoreIndex);
  return { loss, logSumExp };
}

export function crossEntropyBackward(
  engine: Engine,
  logits: Strided,
  targets: Strided,
  logSumExp: Storage,
  g: Strided,
  ignoreIndex: number,
): Storage | undefined {
  const [rows, classes] = logits.shape;
  if (rows * classes === 0) return undefined;
  const out = engine.empty(rows * classes);
  const x = rowMajorAddress(engine, logits);
  const ids = rowMajorAddress(engine, targets);
  engine.integers.set([x, engine.addressOf(logSumExp), engine.target(out)], 3);
  engine.floats[6] = g.storage.data[g.offset] / countTargets(readTargets(targets), ignoreIndex);
  engine.integers.set([ids, ignoreIndex], 8);
  runRows(engine, Kind.crossEntropyBackward, rows, classes);
  return out;
}

const REDUCE: Record<ReduceOp, number> = { sum: 0, max: 1, min: 2 };

/** Reductions of x seen as [outer, n, inner]; other axes are brought together by a copy first. */
export function reduce(
  engine: Engine,
  op: ReduceOp,
  x: Strided,
  axes: readonly number[],
): Storage | undefined {
  if (x.storage.dtype !== 'float32') return undefined;
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const n = sizeOf(axes.map((axis) => x.shape[axis]));
  const results = sizeOf(kept.map((axis) => x.shape[axis]));
  if (n === 0 || results === 0) return undefined;
  const sorted = [...axes].sort((a, b) => a - b);
  const together = sorted.every((axis, i) => i === 0 || axis === sorted[i - 1] + 1);
  const order = together ? x.shape.map((_, axis) => axis) : [...kept, ...axes];
  const view: Strided = {
    storage: x.storage,
    shape: order.map((axis) => x.shape[axis]),
    strides: order.map((axis) => x.strides[axis]),
    offset: x.offset,
  };
  const inner = together ? sizeOf(x.shape.slice((sorted.at(-1) ?? -1) + 1)) : 1;
  const out = engine.empty(results);
  const address = rowMajorAddress(engine, view);
  const threaded = n * results >= THREADED_ELEMENTS;
  const outer = results / inner;
  const perTask = inner === 1 ? Math.max(1, Math.floor(TASK / n)) : COLUMNS;
  engine.integers.set([REDUCE[op], perTask, outer, n, inner, address, engine.target(out)]);
  const tasks = inner === 1 ? Math.ceil(outer / perTask) : outer * Math.ceil(inner / COLUMNS);
  engine.run(inner === 1 ? Kind.reduceRows : Kind.reduceColumns, tasks, threaded);
  return out;
}
