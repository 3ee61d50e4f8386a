import type { Kernels, Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor, rowsAndColumns } from '../strided.ts';

/**
 * y = softmax(scale · x) over the first `visible` numbers of a row, 0 over the rest.
 * The largest number is taken off first: exp() of a large one would be infinite.
 */
function softmaxRow(x: Float32Array, y: Float32Array, start: number, visible: number, scale: number): void {
  let max = -Infinity;
  for (let j = start; j < start + visible; j++) max = Math.max(max, x[j]);
  let sum = 0;
  for (let j = start; j < start + visible; j++) {
    y[j] = Math.exp(scale * (x[j] - max));
    sum += y[j];
  }
  for (let j = start; j < start + visible; j++) y[j] /= sum;
}

function softmax(x: Strided): Storage {
  const [rows, columns] = rowsAndColumns(x);
  const input = rowMajor(x);
  const { storage, data } = newFloats(rows * columns);
  for (let row = 0; row < rows; row++) softmaxRow(input, data, row * columns, columns, 1);
  return storage;
}

function causalSoftmax(x: Strided, scale: number): Storage {
  const [rows, columns] = rowsAndColumns(x);
  const input = rowMajor(x);
  const { storage, data } = newFloats(rows * columns);
  // Row i of each [t, T] matrix sees the columns 0 … T − t + i.
  const t = x.shape[x.shape.length - 2];
  for (let row = 0; row < rows; row++) {
    softmaxRow(input, data, row * columns, columns - t + (row % t) + 1, scale);
  }
  return storage;
}

/** dx = scale · y (g − Σ g y): the softmax's Jacobian, diag(y) − y yᵀ, times g. */
function causalSoftmaxBackward(y: Strided, g: Strided, scale: number): Storage {
  const [rows, columns] = rowsAndColumns(y);
  const output = rowMajor(y);
  const upstream = rowMajor(g);
  const { storage, data } = newFloats(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let dot = 0;
    for (let j = start; j < start + columns; j++) dot += upstream[j] * output[j];
    for (let j = start; j < start + columns; j++) data[j] = scale * output[j] * (upstream[j] - dot);
  }
  return storage;
}

/** The masked weights are 0 and so are their gradients: the causal rule serves both. */
function softmaxBackward(y: Strided, g: Strided): Storage {
  return causalSoftmaxBackward(y, g, 1);
}

/**
 * log Σ exp of one row in two parts, whose sum it is: the largest number, and log Σ exp(x − largest). No exp() is too
 * large, and what is taken off an x next to 10,000 leaves all digits of a logarithm near 1.
 */
export function logSumExpOfRow(
  x: Float32Array,
  start: number,
  length: number,
): { max: number; logSum: number } {
  let max = -Infinity;
  for (let j = start; j < start + length; j++) max = Math.max(max, x[j]);
  let sum = 0;
  for (let j = start; j < start + length; j++) sum += Math.exp(x[j] - max);
  return { max, logSum: Math.log(sum) };
}

function logSoftmax(x: Strided): Storage {
  const [rows, columns] = rowsAndColumns(x);
  const input = rowMajor(x);
  const { storage, data } = newFloats(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const { max, logSum } = logSumExpOfRow(input, start, columns);
    for (let j = start; j < start + columns; j++) data[j] = input[j] - max - logSum;
  }
  return storage;
}

function logSoftmaxBackward(y: Strided, g: Strided): Storage {
  const [rows, columns] = rowsAndColumns(y);
  const output = rowMajor(y);
  const upstream = rowMajor(g);
  const { storage, data } = newFloats(rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let sum = 0;
    for (let j = start; j < start + columns; j++) sum += upstream[j];
    for (let j = start; j < start + columns; j++) data[j] = upstream[j] - Math.exp(output[j]) * sum;
  }
  return storage;
}

export const softmaxKernels: Pick<
  Kernels,
  | 'softmax'
  | 'softmaxBackward'
  | 'logSoftmax'
  | 'logSoftmaxBackward'
  | 'causalSoftmax'
  | 'causalSoftmaxBackward'
> = { softmax, softmaxBackward, logSoftmax, logSoftmaxBackward, causalSoftmax, causalSoftmaxBackward };
