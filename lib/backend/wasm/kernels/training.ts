import type { AdamWStep, Strided } from '../../kernels.ts';
import type { Storage } from '../../storage.ts';
import { isContiguous } from '../../strided.ts';
import { type Engine, Kind } from '../engine.ts';
import { rowMajorAddress, THREADED_ELEMENTS } from './elementwise.ts';

/** Embedding and optimiser kernels: their arguments. The loops are in assembly/training.ts. */

/** Elements of one task. */
const TASK = 16384;
/** Columns of one task of the scatter-add: four cache lines. */
const COLUMNS = 64;

export function embedding(engine: Engine, weight: Strided, ids: Strided): Storage | undefined {
  const [rows, d] = [ids.shape[0], weight.shape[1]];
  if (weight.storage.dtype !== 'float32' || weight.strides[1] !== 1) return undefined;
  const out = engine.empty(rows * d);
  if (rows * d === 0) return out;
  const perTask = Math.max(1, Math.floor(TASK / d));
  const index = rowMajorAddress(engine, ids);
  engine.integers.set([
    perTask,
    rows,
    d,
    engine.address(weight),
    4 * weight.strides[0],
    index,
    engine.target(out),
  ]);
  engine.run(Kind.embedding, Math.ceil(rows / perTask), rows * d >= THREADED_ELEMENTS);
  return out;
}

export function embeddingBackwardInto(
  engine: Engine,
  target: Strided,
  ids: Strided,
  g: Strided,
): true | undefined {
  const [rows, d] = [ids.shape[0], target.shape[1]];
  if (target.strides[1] !== 1) return undefined;
  if (rows * d === 0) return true;
  const index = rowMajorAddress(engine, ids);
  const upstream = rowMajorAddress(engine, g);
  const table = engine.targetView(target);
  engine.integers.set([COLUMNS, rows, d, table, 4 * target.strides[0], index, upstream]);
  engine.run(Kind.embeddingBackward, Math.ceil(d / COLUMNS), rows * d >= THREADED_ELEMENTS);
  return true;
}

export function adamW(
  engine: Engine,
  parameter: Strided,
  gradient: Strided,
  m: Storage,
  v: Storage,
  step: AdamWStep,
): true | undefined {
  if (!isContiguous(parameter)) return undefined;
  const { lr, beta1, beta2, eps, weightDecay } = step;
  const count = m.length;
  const g = rowMajorAddress(engine, gradient);
  const [moment1, moment2] = [m, v].map((storage) =>
    engine.targetView({ storage, shape: [], strides: [], offset: 0 }),
  );
  engine.integers.set([TASK, count, engine.targetView(parameter), g, moment1, moment2]);
  const stepSize = lr / (1 - beta1 ** step.step);
  const correction = Math.sqrt(1 - beta2 ** step.step);
  const numbers = [beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, eps, 1 - lr * weightDecay];
  engine.floats.set(numbers, 6);
  engine.run(Kind.adamW, Math.ceil(count / TASK), count >= THREADED_ELEMENTS);
  return true;
}
