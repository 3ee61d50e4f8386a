import type { ReduceOp, Strided } from '../../kernels.ts';
import type { Storage } from '../../storage.ts';
import { rowsAndColumns, sizeOf } from '../../strided.ts';
import type { Engine } from '../engine.ts';
import { Reduce } from '../protocol.ts';
import { rowMajorAddress, THREADED_ELEMENTS } from './elementwise.ts';

/** Kernels that work row by row: softmax and its relatives, cross-entropy, reductions. */

/** Elements of one task. */
const TASK = 8192;
/** Columns of one task where sums go down the columns: two cache lines. */
export const COLUMNS = 32;

/** How [rows, columns] are cut into tasks of whole rows. */
export function rowTasks(rows: number, columns: number) {
  const rowsPerTask = Math.max(1, Math.floor(TASK / columns));
  return {
    rowsPerTask,
    tasks: Math.ceil(rows / rowsPerTask),
    threaded: rows * columns >= THREADED_ELEMENTS,
  };
}

/** `causalRows` as in protocol.ts. */
function softmaxOf(engine: Engine, input: Strided, scale: number, causalRows: number): Storage {
  const [rows, columns] = rowsAndColumns(input);
  const out = engine.empty(rows * columns);
  if (out.length === 0) return out;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, columns);
  const x = rowMajorAddress(engine, input);
  const args = { rowsPerTask, rows, columns, x, y: engine.target(out), scale, causalRows };
  engine.run('softmax', args, tasks, threaded);
  return out;
}

function softmaxBackwardOf(
  engine: Engine,
  output: Strided,
  upstream: Strided,
  scale: number,
  causalRows: number,
) {
  const [rows, columns] = rowsAndColumns(output);
  const out = engine.empty(rows * columns);
  if (out.length === 0) return out;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, columns);
  const y = rowMajorAddress(engine, output);
  const g = rowMajorAddress(engine, upstream);
  const args = { rowsPerTask, rows, columns, y, g, dx: engine.target(out), scale, causalRows };
  engine.run('softmaxBackward', args, tasks, threaded);
  return out;
}

export const softmax = (engine: Engine, x: Strided) => softmaxOf(engine, x, 1, 0);
export const softmaxBackward = (engine: Engine, y: Strided, g: Strided) =>
  softmaxBackwardOf(engine, y, g, 1, 0);
const rowsOf = ({ shape }: Strided) => shape[shape.length - 2];
export const causalSoftmax = (engine: Engine, x: Strided, scale: number) =>
  softmaxOf(engine, x, scale, rowsOf(x));
export const causalSoftmaxBackward = (engine: Engine, y: Strided, g: Strided, scale: number) =>
  softmaxBackwardOf(engine, y, g, scale, rowsOf(y));

export function logSoftmax(engine: Engine, input: Strided): Storage {
  const [rows, columns] = rowsAndColumns(input);
  const out = engine.empty(rows * columns);
  if (out.length === 0) return out;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, columns);
  const args = { rowsPerTask, rows, columns, x: rowMajorAddress(engine, input), out: engine.target(out) };
  engine.run('logSoftmax', args, tasks, threaded);
  return out;
}

export function logSoftmaxBackward(engine: Engine, output: Strided, upstream: Strided): Storage {
  const [rows, columns] = rowsAndColumns(output);
  const out = engine.empty(rows * columns);
  if (out.length === 0) return out;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, columns);
  const y = rowMajorAddress(engine, output);
  const g = rowMajorAddress(engine, upstream);
  engine.run(
    'logSoftmaxBackward',
    { rowsPerTask, rows, columns, y, g, dx: engine.target(out) },
    tasks,
    threaded,
  );
  return out;
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
  const logSumExp = engine.empty(2 * rows);
  const loss = engine.empty(1);
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, classes);
  const x = rowMajorAddress(engine, logits);
  engine.run(
    'logSumExp',
    { rowsPerTask, rows, columns: classes, x, out: engine.target(logSumExp) },
    tasks,
    threaded,
  );
  engine.giveBack();
  const wanted = readTargets(targets);
  const data = logits.storage.data;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    if (wanted[row] === ignoreIndex) continue;
    const at = logits.offset + row * logits.strides[0] + wanted[row] * logits.strides[1];
    sum += logSumExp.data[2 * row] - data[at] + logSumExp.data[2 * row + 1];
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
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, classes);
  const args = {
    rowsPerTask,
    rows,
    columns: classes,
    logits: rowMajorAddress(engine, logits),
    logSumExp: engine.addressOf(logSumExp),
    dx: engine.target(out),
    perRow: g.storage.data[g.offset] / countTargets(readTargets(targets), ignoreIndex),
    targets: rowMajorAddress(engine, targets),
    ignoreIndex,
  };
  engine.run('crossEntropyBackward', args, tasks, threaded);
  return out;
}

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
  const args = { op: Reduce[op], perTask, outer, n, inner, x: address, out: engine.target(out) };
  const tasks = inner === 1 ? Math.ceil(outer / perTask) : outer * Math.ceil(inner / COLUMNS);
  engine.run(inner === 1 ? 'reduceRows' : 'reduceColumns', args, tasks, threaded);
  return out;
}
