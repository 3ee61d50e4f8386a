import type { Strided } from '../../kernels.ts';
import { rowsAndColumns } from '../../strided.ts';
import type { Device, LaunchArgument } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { type Batch, kernelFunction, type Matrix, type Row, type Thread } from './kernelFunction.ts';
import { rowMajorValue } from './views.ts';

/**
 * Softmax along rows, in steps: each row's largest number, its sum of exponentials, and then each element.
 * The causal one sees only a row's first numbers: row i of a [t, T] matrix those up to T − t + i. T − t is `before`.
 */
const rowMax = kernelFunction(
  'rowMax',
  ['array', 'int'],
  function (this: Thread, x: Matrix, columns: number) {
    let max = x[this.thread.x][0];
    for (let j = 1; j < columns; j++) max = Math.max(max, x[this.thread.x][j]);
    return max;
  },
);

const rowSumExp = kernelFunction(
  'rowSumExp',
  ['array', 'array', 'int'],
  function (this: Thread, x: Matrix, max: Row, columns: number) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.exp(x[this.thread.x][j] - max[this.thread.x]);
    return sum;
  },
);

/** In two parts, as Kernels says: the largest number, and the logarithm of the sum. */
const logSumExp = kernelFunction(
  'logSumExp',
  ['array', 'array'],
  function (this: Thread, max: Row, sum: Row) {
    if (this.thread.x === 0) return max[this.thread.y];
    return Math.log(sum[this.thread.y]);
  },
);

const softmax = kernelFunction(
  'softmax',
  ['array', 'array', 'array'],
  function (this: Thread, x: Matrix, max: Row, sum: Row) {
    return Math.exp(x[this.thread.y][this.thread.x] - max[this.thread.y]) / sum[this.thread.y];
  },
);

const logSoftmax = kernelFunction(
  'logSoftmax',
  ['array', 'array'],
  function (this: Thread, x: Matrix, lse: Matrix) {
    return x[this.thread.y][this.thread.x] - lse[this.thread.y][0] - lse[this.thread.y][1];
  },
);

const causalMax = kernelFunction(
  'causalMax',
  ['array', 'int', 'int'],
  function (this: Thread, x: Batch, columns: number, before: number) {
    let max = x[this.thread.y][this.thread.x][0];
    for (let j = 1; j < columns; j++) {
      if (j <= before + this.thread.x) max = Math.max(max, x[this.thread.y][this.thread.x][j]);
    }
    return max;
  },
);

const causalSumExp = kernelFunction(
  'causalSumExp',
  ['array', 'array', 'int', 'int', 'float'],
  function (this: Thread, x: Batch, max: Matrix, columns: number, before: number, scale: number) {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      if (j <= before + this.thread.x) {
        sum += Math.exp(scale * (x[this.thread.y][this.thread.x][j] - max[this.thread.y][this.thread.x]));
      }
    }
    return sum;
  },
);

const causalSoftmax = kernelFunction(
  'causalSoftmax',
  ['array', 'array', 'array', 'int', 'float'],
  function (this: Thread, x: Batch, max: Matrix, sum: Matrix, before: number, scale: number) {
    if (this.thread.x > before + this.thread.y) return 0;
    const shifted = x[this.thread.z][this.thread.y][this.thread.x] - max[this.thread.z][this.thread.y];
    return Math.exp(scale * shifted) / sum[this.thread.z][this.thread.y];
  },
);

const rowDot = kernelFunction(
  'rowDot',
  ['array', 'array', 'int'],
  function (this: Thread, y: Matrix, g: Matrix, columns: number) {
    let dot = 0;
    for (let j = 0; j < columns; j++) dot += y[this.thread.x][j] * g[this.thread.x][j];
    return dot;
  },
);

const softmaxBackward = kernelFunction(
  'softmaxBackward',
  ['array', 'array', 'array', 'float'],
  function (this: Thread, y: Matrix, g: Matrix, dot: Row, scale: number) {
    return scale * y[this.thread.y][this.thread.x] * (g[this.thread.y][this.thread.x] - dot[this.thread.y]);
  },
);

const rowSum = kernelFunction(
  'rowSum',
  ['array', 'int'],
  function (this: Thread, x: Matrix, columns: number) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += x[this.thread.x][j];
    return sum;
  },
);

const logSoftmaxBackward = kernelFunction(
  'logSoftmaxBackward',
  ['array', 'array', 'array'],
  function (this: Thread, y: Matrix, g: Matrix, sum: Row) {
    return g[this.thread.y][this.thread.x] - Math.exp(y[this.thread.y][this.thread.x]) * sum[this.thread.y];
  },
);

/** Each row's largest number and its Σ exp(x − largest). */
function rowStatistics(device: Device, matrix: LaunchArgument, rows: number, columns: number) {
  const max = { value: device.launch(rowMax, [rows], [matrix, columns]), size: [rows] };
  const sum = { value: device.launch(rowSumExp, [rows], [matrix, max, columns]), size: [rows] };
  return { max, sum };
}

/** log Σ exp of each row of a matrix [rows, columns], in two parts: [rows, 2]. */
export function rowLogSumExp(device: Device, matrix: LaunchArgument, rows: number, columns: number): Value {
  const { max, sum } = rowStatistics(device, matrix, rows, columns);
  return device.launch(logSumExp, [2, rows], [max, sum]);
}

function matrixOf(device: Device, x: Strided): { rows: number; columns: number; matrix: LaunchArgument } {
  const [rows, columns] = rowsAndColumns(x);
  return { rows, columns, matrix: { value: rowMajorValue(device, x), size: [columns, rows] } };
}

/** dx = scale · y (g − Σ g y). */
function backward(device: Device, y: Strided, g: Strided, scale: number): Value {
  const { rows, columns, matrix } = matrixOf(device, y);
  const upstream = matrixOf(device, g).matrix;
  const dot = { value: device.launch(rowDot, [rows], [matrix, upstream, columns]), size: [rows] };
  return device.launch(softmaxBackward, [columns, rows], [matrix, upstream, dot, scale]);
}

export const softmaxKernels: Pick<
  GpuKernels,
  | 'softmax'
  | 'softmaxBackward'
  | 'logSoftmax'
  | 'logSoftmaxBackward'
  | 'causalSoftmax'
  | 'causalSoftmaxBackward'
> = {
  softmax(device, x) {
    if (!device.wants(x)) return undefined;
    const { rows, columns, matrix } = matrixOf(device, x);
    const { max, sum } = rowStatistics(device, matrix, rows, columns);
    return [device.launch(softmax, [columns, rows], [matrix, max, sum])];
  },
  softmaxBackward(device, y, g) {
    return device.wants(y, g) ? [backward(device, y, g, 1)] : undefined;
  },
  logSoftmax(device, x) {
    if (!device.wants(x)) return undefined;
    const { rows, columns, matrix } = matrixOf(device, x);
    const lse = { value: rowLogSumExp(device, matrix, rows, columns), size: [2, rows] };
    return [device.launch(logSoftmax, [columns, rows], [matrix, lse])];
  },
  logSoftmaxBackward(device, y, g) {
    if (!device.wants(y, g)) return undefined;
    const { rows, columns, matrix } = matrixOf(device, y);
    const upstream = matrixOf(device, g).matrix;
    const sum = { value: device.launch(rowSum, [rows], [upstream, columns]), size: [rows] };
    return [device.launch(logSoftmaxBackward, [columns, rows], [matrix, upstream, sum])];
  },
  causalSoftmax(device, x, scale) {
    if (!device.wants(x)) return undefined;
    const [rows, columns] = rowsAndColumns(x);
    const t = x.shape[x.shape.length - 2];
    const before = columns - t;
    const blocks = rows / t;
    const batch = { value: rowMajorValue(device, x), size: [columns, t, blocks] };
    const size = [t, blocks];
    const max = { value: device.launch(causalMax, size, [batch, columns, before]), size };
    const sum = { value: device.launch(causalSumExp, size, [batch, max, columns, before, scale]), size };
    return [device.launch(causalSoftmax, [columns, t, blocks], [batch, max, sum, before, scale])];
  },
  causalSoftmaxBackward(device, y, g, scale) {
    return device.wants(y, g) ? [backward(device, y, g, scale)] : undefined;
  },
};
