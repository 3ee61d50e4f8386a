import type { Strided } from '../../kernels.ts';
import type { Storage } from '../../storage.ts';
import type { Engine } from '../engine.ts';
import { rowMajorAddress } from './elementwise.ts';
import { COLUMNS, rowTasks } from './rows.ts';

/** Layer norm and RMS norm: their arguments. The loops are in assembly/layerNorm.ts and rmsNorm.ts. */

/** What every job over the rows of x [rows, d] with a scale [d] is told, and how it is cut into tasks. */
function normJob(engine: Engine, x: Strided, scale: Strided) {
  const [rows, d] = x.shape;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, d);
  const args = { rowsPerTask, rows, d, x: rowMajorAddress(engine, x), scale: rowMajorAddress(engine, scale) };
  return { args, tasks, threaded };
}

export function layerNorm(engine: Engine, x: Strided, scale: Strided, shift: Strided, eps: number) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const [y, mean, rstd] = [rows * d, rows, rows].map((length) => engine.empty(length));
  const { args, tasks, threaded } = normJob(engine, x, scale);
  const own = { shift: rowMajorAddress(engine, shift), y: engine.target(y), eps };
  const kept = { mean: engine.target(mean), rstd: engine.target(rstd) };
  engine.run('layerNorm', { ...args, ...own, ...kept }, tasks, threaded);
  return { y, mean, rstd };
}

export function layerNormBackward(
  engine: Engine,
  upstream: Strided,
  x: Strided,
  scale: Strided,
  means: Storage,
  rstds: Storage,
  parameters: boolean,
) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const dx = engine.empty(rows * d);
  const { args, tasks, threaded } = normJob(engine, x, scale);
  const g = rowMajorAddress(engine, upstream);
  const [mean, rstd] = [engine.addressOf(means), engine.addressOf(rstds)];
  engine.run('layerNormBackward', { g, dx: engine.target(dx), mean, rstd, ...args }, tasks, threaded);
  if (!parameters) return { dx };
  const [dscale, dshift] = [engine.empty(d), engine.empty(d)];
  const sums = { columnsPerTask: COLUMNS, rows, d, x: args.x, g, mean, rstd };
  const to = { dscale: engine.target(dscale), dshift: engine.target(dshift) };
  engine.run('layerNormParameters', { ...sums, ...to }, Math.ceil(d / COLUMNS), threaded);
  return { dx, dscale, dshift };
}

export function rmsNorm(engine: Engine, x: Strided, scale: Strided, eps: number) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const [y, rstd] = [engine.empty(rows * d), engine.empty(rows)];
  const { args, tasks, threaded } = normJob(engine, x, scale);
  engine.run('rmsNorm', { y: engine.target(y), rstd: engine.target(rstd), eps, ...args }, tasks, threaded);
  return { y, rstd };
}

export function rmsNormBackward(
  engine: Engine,
  upstream: Strided,
  x: Strided,
  scale: Strided,
  rstds: Storage,
  parameters: boolean,
) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const dx = engine.empty(rows * d);
  const { args, tasks, threaded } = normJob(engine, x, scale);
  const [g, rstd] = [rowMajorAddress(engine, upstream), engine.addressOf(rstds)];
  engine.run('rmsNormBackward', { g, dx: engine.target(dx), rstd, ...args }, tasks, threaded);
  if (!parameters) return { dx };
  const dscale = engine.empty(d);
  const sums = { columnsPerTask: COLUMNS, rows, d, x: args.x, g, rstd, dscale: engine.target(dscale) };
  engine.run('rmsNormParameters', sums, Math.ceil(d / COLUMNS), threaded);
  return { dx, dscale };
}
