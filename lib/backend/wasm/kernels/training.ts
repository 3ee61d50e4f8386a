import type { AdamWStep, Strided } from '../../kernels.ts';
import { wholeMatrixOfBlocks } from '../../quantised/storedBlocks.ts';
import type { Storage } from '../../storage.ts';
import { isContiguous } from '../../strided.ts';
import type { Engine } from '../engine.ts';
import { embedBlocks } from './blocks.ts';
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
  const stored = wholeMatrixOfBlocks(weight);
  if (stored) {
    embedBlocks(engine, stored.blocks, rows, rowMajorAddress(engine, ids), engine.target(out));
    return out;
  }
  const rowsPerTask = Math.max(1, Math.floor(TASK / d));
  const args = {
    rowsPerTask,
    rows,
    d,
    table: engine.address(weight),
    rowBytes: 4 * weight.strides[0],
    ids: rowMajorAddress(engine, ids),
    out: engine.target(out),
  };
  engine.run('embedding', args, Math.ceil(rows / rowsPerTask), rows * d >= THREADED_ELEMENTS);
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
  const args = {
    columnsPerTask: COLUMNS,
    rows,
    d,
    table: engine.targetView(target),
    rowBytes: 4 * target.strides[0],
    ids: rowMajorAddress(engine, ids),
    g: rowMajorAddress(engine, g),
  };
  engine.run('embeddingBackward', args, Math.ceil(d / COLUMNS), rows * d >= THREADED_ELEMENTS);
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
  const elements = m.length;
  const whole = (storage: Storage) => engine.targetView({ storage, shape: [], strides: [], offset: 0 });
  const args = {
    elementsPerTask: TASK,
    elements,
    parameter: engine.targetView(parameter),
    gradient: rowMajorAddress(engine, gradient),
    m: whole(m),
    v: whole(v),
    beta1,
    oneMinusBeta1: 1 - beta1,
    beta2,
    oneMinusBeta2: 1 - beta2,
    stepSize: lr / (1 - beta1 ** step.step),
    correction: Math.sqrt(1 - beta2 ** step.step),
    eps,
    decay: 1 - lr * weightDecay,
  };
  engine.run('adamW', args, Math.ceil(elements / TASK), elements >= THREADED_ELEMENTS);
  return true;
}
