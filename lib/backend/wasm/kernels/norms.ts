import type { Strided } from '../../kernels.ts';
import type { Storage } from '../../storage.ts';
import type { Engine } from '../engine.ts';
import { rowMajorAddress } from './elementwise.ts';
import { COLUMNS, rowTasks } from './rows.ts';

/** Layer norm and RMS norm: their arguments. The loops are in assembly/layerNorm.ts and rmsNorm.ts. */

export function layerNorm(engine: Engine, x: Strided, scale: Strided, shift: Strided, eps: number) {
  const [rows, d] = x.shape;
  const y = engine.empty(rows * d);
  const mean = engine.empty(rows);
  const rstd = engine.empty(rows);
  if (rows * d === 0) return undefined;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, d);
  const args = {
    rowsPerTask,
    rows,
    d,
    x: rowMajorAddress(engine, x),
    scale: rowMajorAddress(engine, scale),
    shift: rowMajorAddress(engine, shift),
    y: engine.target(y),
    mean: engine.target(mean),
    rstd: engine.target(rstd),
    eps,
  };
  engine.run('layerNorm', args, tasks, threaded);
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
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, d);
  const args = {
    rowsPerTask,
    rows,
    d,
    x: rowMajorAddress(engine, x),
    scale: rowMajorAddress(engine, scale),
    g: rowMajorAddress(engine, g),
    dx: engine.target(dx),
    mean: engine.addressOf(mean),
    rstd: engine.addressOf(rstd),
  };
  engine.run('layerNormBackward', args, tasks, threaded);
  if (dscale && dshift) {
    const sums = {
      columnsPerTask: COLUMNS,
      rows,
      d,
      x: args.x,
      g: args.g,
      mean: args.mean,
      rstd: args.rstd,
      dscale: engine.target(dscale),
      dshift: engine.target(dshift),
    };
    engine.run('layerNormParameters', sums, Math.ceil(d / COLUMNS), threaded);
  }
  return { dx, dscale, dshift };
}

export function rmsNorm(engine: Engine, x: Strided, scale: Strided, eps: number) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const y = engine.empty(rows * d);
  const rstd = engine.empty(rows);
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, d);
  const args = {
    rowsPerTask,
    rows,
    d,
    x: rowMajorAddress(engine, x),
    scale: rowMajorAddress(engine, scale),
    y: engine.target(y),
    rstd: engine.target(rstd),
    eps,
  };
  engine.run('rmsNorm', args, tasks, threaded);
  return { y, rstd };
}

export function rmsNormBackward(
  engine: Engine,
  g: Strided,
  x: Strided,
  scale: Strided,
  rstd: Storage,
  parameters: boolean,
) {
  const [rows, d] = x.shape;
  if (rows * d === 0) return undefined;
  const dx = engine.empty(rows * d);
  const dscale = parameters ? engine.empty(d) : undefined;
  const { rowsPerTask, tasks, threaded } = rowTasks(rows, d);
  const args = {
    rowsPerTask,
    rows,
    d,
    x: rowMajorAddress(engine, x),
    scale: rowMajorAddress(engine, scale),
    g: rowMajorAddress(engine, g),
    dx: engine.target(dx),
    rstd: engine.addressOf(rstd),
  };
  engine.run('rmsNormBackward', args, tasks, threaded);
  if (dscale) {
    const { x: from, g: upstream, rstd: factors } = args;
    const sums = { columnsPerTask: COLUMNS, rows, d, x: from, g: upstream, rstd: factors };
    engine.run(
      'rmsNormParameters',
      { ...sums, dscale: engine.target(dscale) },
      Math.ceil(d / COLUMNS),
      threaded,
    );
  }
  return { dx, dscale };
}
