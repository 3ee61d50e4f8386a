import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction, type Matrix, type Row, type Thread } from './kernelFunction.ts';
import { rowLogSumExp } from './softmax.ts';
import { rowMajorValue } from './views.ts';

/** Mean over the rows of log Σ exp(logits) − logits[target], leaving out targets that are to be ignored. */
const rowLoss = kernelFunction(
  'rowLoss',
  ['array', 'array', 'array', 'int'],
  function (this: Thread, logits: Matrix, targets: Row, lse: Matrix, ignored: number) {
    const target = targets[this.thread.x];
    if (target === ignored) return 0;
    return lse[this.thread.x][0] - logits[this.thread.x][target] + lse[this.thread.x][1];
  },
);

const countTargets = kernelFunction(
  'countTargets',
  ['array', 'int', 'int'],
  function (this: Thread, targets: Row, ignored: number, rows: number) {
    let count = 0;
    for (let i = 0; i < rows; i++) {
      if (targets[i] !== ignored) count += 1;
    }
    return count;
  },
);

const meanOf = kernelFunction(
  'meanOf',
  ['array', 'array', 'int'],
  function (this: Thread, x: Row, count: Row, rows: number) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += x[i];
    return sum / count[0];
  },
);

const crossEntropyBackward = kernelFunction(
  'crossEntropyBackward',
  ['array', 'array', 'array', 'array', 'array', 'int'],
  function (this: Thread, logits: Matrix, targets: Row, lse: Matrix, g: Row, count: Row, ignored: number) {
    const target = targets[this.thread.y];
    if (target === ignored) return 0;
    const shifted = logits[this.thread.y][this.thread.x] - lse[this.thread.y][0];
    let p = Math.exp(shifted - lse[this.thread.y][1]);
    if (this.thread.x === target) p = p - 1;
    return (p * g[0]) / count[0];
  },
);

export const crossEntropyKernels: Pick<GpuKernels, 'crossEntropy' | 'crossEntropyBackward'> = {
  crossEntropy(device, logits, targets, ignoreIndex) {
    if (!device.wants(logits)) return undefined;
    const [rows, classes] = logits.shape;
    const matrix = { value: rowMajorValue(device, logits), size: [classes, rows] };
    const target = { value: rowMajorValue(device, targets), size: [rows] };
    const lse = { value: rowLogSumExp(device, matrix, rows, classes), size: [2, rows] };
    const losses = {
      value: device.launch(rowLoss, [rows], [matrix, target, lse, ignoreIndex]),
      size: [rows],
    };
    const count = { value: device.launch(countTargets, [1], [target, ignoreIndex, rows]), size: [1] };
    return [device.launch(meanOf, [1], [losses, count, rows]), lse.value];
  },
  crossEntropyBackward(device, logits, targets, logSumExp, g, ignoreIndex) {
    if (!device.wants(logits, g)) return undefined;
    const [rows, classes] = logits.shape;
    const matrix = { value: rowMajorValue(device, logits), size: [classes, rows] };
    const target = { value: rowMajorValue(device, targets), size: [rows] };
    const lse = { value: device.valueOf(logSumExp), size: [2, rows] };
    const upstream = { value: rowMajorValue(device, g), size: [1] };
    const count = { value: device.launch(countTargets, [1], [target, ignoreIndex, rows]), size: [1] };
    const args = [matrix, target, lse, upstream, count, ignoreIndex];
    return [device.launch(crossEntropyBackward, [classes, rows], args)];
  },
};
