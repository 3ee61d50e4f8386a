import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction, type Matrix, type Row, type Thread } from './kernelFunction.ts';
import { rowMajorValue, seenAs } from './views.ts';

/** y = x / √(mean(x²) + eps) · scale over each row; the formula of its derivative stands in the js backend. */
const rootMeanSquare = kernelFunction(
  'rootMeanSquare',
  ['array', 'int', 'float'],
  function (this: Thread, x: Matrix, d: number, eps: number) {
    let squares = 0;
    for (let j = 0; j < d; j++) squares += x[this.thread.x][j] * x[this.thread.x][j];
    return 1 / Math.sqrt(squares / d + eps);
  },
);

const scaleRows = kernelFunction(
  'scaleRows',
  ['array', 'array', 'array'],
  function (this: Thread, x: Matrix, rstd: Row, scale: Row) {
    return x[this.thread.y][this.thread.x] * rstd[this.thread.y] * scale[this.thread.x];
  },
);

/** Σ ĝ x̂ of each row, with ĝ = g · scale and x̂ = x · rstd. */
const rowDotWithRmsNormed = kernelFunction(
  'rowDotWithRmsNormed',
  ['array', 'array', 'array', 'array', 'int'],
  function (this: Thread, g: Matrix, scale: Row, x: Matrix, rstd: Row, d: number) {
    let dot = 0;
    for (let j = 0; j < d; j++)
      dot += g[this.thread.x][j] * scale[j] * x[this.thread.x][j] * rstd[this.thread.x];
    return dot;
  },
);

const rmsNormBackward = kernelFunction(
  'rmsNormBackward',
  ['array', 'array', 'array', 'array', 'array', 'int'],
  function (this: Thread, g: Matrix, scale: Row, x: Matrix, rstd: Row, dot: Row, d: number) {
    const xHat = x[this.thread.y][this.thread.x] * rstd[this.thread.y];
    const gHat = g[this.thread.y][this.thread.x] * scale[this.thread.x];
    return rstd[this.thread.y] * (gHat - (xHat * dot[this.thread.y]) / d);
  },
);

const rmsScaleGradient = kernelFunction(
  'rmsScaleGradient',
  ['array', 'array', 'array', 'int'],
  function (this: Thread, g: Matrix, x: Matrix, rstd: Row, rows: number) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += g[i][this.thread.x] * x[i][this.thread.x] * rstd[i];
    return sum;
  },
);

export const rmsNormKernels: Pick<GpuKernels, 'rmsNorm' | 'rmsNormBackward'> = {
  rmsNorm(device, x, scale, eps) {
    if (!device.wants(x)) return undefined;
    const [rows, d] = x.shape;
    const matrix = { value: rowMajorValue(device, x), size: [d, rows] };
    const rstd = { value: device.launch(rootMeanSquare, [rows], [matrix, d, eps]), size: [rows] };
    return [device.launch(scaleRows, [d, rows], [matrix, rstd, seenAs(device, scale, d)]), rstd.value];
  },
  rmsNormBackward(device, g, x, scale, rstd, parameters) {
    if (!device.wants(g, x)) return undefined;
    const [rows, d] = x.shape;
    const matrix = { value: rowMajorValue(device, x), size: [d, rows] };
    const upstream = { value: rowMajorValue(device, g), size: [d, rows] };
    const gamma = seenAs(device, scale, d);
    const r = { value: device.valueOf(rstd), size: [rows] };
    const dot = {
      value: device.launch(rowDotWithRmsNormed, [rows], [upstream, gamma, matrix, r, d]),
      size: [rows],
    };
    const dx = device.launch(rmsNormBackward, [d, rows], [upstream, gamma, matrix, r, dot, d]);
    return parameters ? [dx, device.launch(rmsScaleGradient, [d], [upstream, matrix, r, rows])] : [dx];
  },
};
