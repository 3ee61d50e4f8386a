import type { Device, LaunchArgument } from '../device/device.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction, type Matrix, type Row, type Thread } from './kernelFunction.ts';
import { type flat, rowMajorValue } from './views.ts';

/** y = (x − mean) / σ · scale + shift over each row; the formulas of its derivative stand in the js backend. */
const rowMean = kernelFunction('rowMean', ['array', 'int'], function (this: Thread, x: Matrix, d: number) {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += x[this.thread.x][j];
  return sum / d;
});

const rowRstd = kernelFunction(
  'rowRstd',
  ['array', 'array', 'int', 'float'],
  function (this: Thread, x: Matrix, mean: Row, d: number, eps: number) {
    let squares = 0;
    for (let j = 0; j < d; j++) {
      const difference = x[this.thread.x][j] - mean[this.thread.x];
      squares += difference * difference;
    }
    return 1 / Math.sqrt(squares / d + eps);
  },
);

const normalise = kernelFunction(
  'normalise',
  ['array', 'array', 'array', 'array', 'array'],
  function (this: Thread, x: Matrix, mean: Row, rstd: Row, scale: Row, shift: Row) {
    const xHat = (x[this.thread.y][this.thread.x] - mean[this.thread.y]) * rstd[this.thread.y];
    return xHat * scale[this.thread.x] + shift[this.thread.x];
  },
);

/** Σ ĝ of each row, with ĝ = g · scale. */
const rowSumOfScaled = kernelFunction(
  'rowSumOfScaled',
  ['array', 'array', 'int'],
  function (this: Thread, g: Matrix, scale: Row, d: number) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += g[this.thread.x][j] * scale[j];
    return sum;
  },
);

/** Σ ĝ x̂ of each row. */
const rowDotWithNormalised = kernelFunction(
  'rowDotWithNormalised',
  ['array', 'array', 'array', 'array', 'array', 'int'],
  function (this: Thread, g: Matrix, scale: Row, x: Matrix, mean: Row, rstd: Row, d: number) {
    let dot = 0;
    for (let j = 0; j < d; j++) {
      const xHat = (x[this.thread.x][j] - mean[this.thread.x]) * rstd[this.thread.x];
      dot += g[this.thread.x][j] * scale[j] * xHat;
    }
    return dot;
  },
);

const layerNormBackward = kernelFunction(
  'layerNormBackward',
  ['array', 'array', 'array', 'array', 'array', 'array', 'array', 'int'],
  function (
    this: Thread,
    g: Matrix,
    scale: Row,
    x: Matrix,
    mean: Row,
    rstd: Row,
    sum: Row,
    dot: Row,
    d: number,
  ) {
    const xHat = (x[this.thread.y][this.thread.x] - mean[this.thread.y]) * rstd[this.thread.y];
    const gHat = g[this.thread.y][this.thread.x] * scale[this.thread.x];
    return rstd[this.thread.y] * (gHat - sum[this.thread.y] / d - (xHat * dot[this.thread.y]) / d);
  },
);

const scaleGradient = kernelFunction(
  'scaleGradient',
  ['array', 'array', 'array', 'array', 'int'],
  function (this: Thread, g: Matrix, x: Matrix, mean: Row, rstd: Row, rows: number) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += g[i][this.thread.x] * (x[i][this.thread.x] - mean[i]) * rstd[i];
    return sum;
  },
);

const columnSum = kernelFunction(
  'columnSum',
  ['array', 'int'],
  function (this: Thread, g: Matrix, rows: number) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += g[i][this.thread.x];
    return sum;
  },
);

function row(device: Device, x: Parameters<typeof flat>[1]): LaunchArgument {
  return { value: rowMajorValue(device, x), size: x.shape };
}

export const layerNormKernels: Pick<GpuKernels, 'layerNorm' | 'layerNormBackward'> = {
  layerNorm(device, x, scale, shift, eps) {
    if (!device.wants(x)) return undefined;
    const [rows, d] = x.shape;
    const matrix = { value: rowMajorValue(device, x), size: [d, rows] };
    const mean = { value: device.launch(rowMean, [rows], [matrix, d]), size: [rows] };
    const rstd = { value: device.launch(rowRstd, [rows], [matrix, mean, d, eps]), size: [rows] };
    const y = device.launch(
      normalise,
      [d, rows],
      [matrix, mean, rstd, row(device, scale), row(device, shift)],
    );
    return [y, mean.value, rstd.value];
  },
  layerNormBackward(device, g, x, scale, mean, rstd, parameters) {
    if (!device.wants(g, x)) return undefined;
    const [rows, d] = x.shape;
    const matrix = { value: rowMajorValue(device, x), size: [d, rows] };
    const upstream = { value: rowMajorValue(device, g), size: [d, rows] };
    const gamma = row(device, scale);
    const mu = { value: device.valueOf(mean), size: [rows] };
    const r = { value: device.valueOf(rstd), size: [rows] };
    const sum = { value: device.launch(rowSumOfScaled, [rows], [upstream, gamma, d]), size: [rows] };
    const dot = {
      value: device.launch(rowDotWithNormalised, [rows], [upstream, gamma, matrix, mu, r, d]),
      size: [rows],
    };
    const dx = device.launch(layerNormBackward, [d, rows], [upstream, gamma, matrix, mu, r, sum, dot, d]);
    if (!parameters) return [dx];
    const dscale = device.launch(scaleGradient, [d], [upstream, matrix, mu, r, rows]);
    return [dx, dscale, device.launch(columnSum, [d], [upstream, rows])];
  },
};
