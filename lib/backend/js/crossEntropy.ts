import type { Kernels, Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor } from '../strided.ts';
import { logSumExpOfRow } from './softmax.ts';

function countTargets(targets: Int32Array, ignoreIndex: number): number {
  let counted = 0;
  for (const target of targets) if (target !== ignoreIndex) counted++;
  return counted;
}

/** Mean of log Σ exp(logits) − logits[target]. No row counted gives NaN, as in PyTorch. */
function crossEntropy(logits: Strided, targets: Strided, ignoreIndex: number) {
  const [rows, classes] = logits.shape;
  const x = rowMajor(logits);
  const target = rowMajor<Int32Array>(targets);
  const loss = newFloats(1);
  const logSumExp = newFloats(2 * rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const { max, logSum } = logSumExpOfRow(x, row * classes, classes);
    logSumExp.data[2 * row] = max;
    logSumExp.data[2 * row + 1] = logSum;
    if (target[row] !== ignoreIndex) sum += max - x[row * classes + target[row]] + logSum;
  }
  loss.data[0] = sum / countTargets(target, ignoreIndex);
  return { loss: loss.storage, logSumExp: logSumExp.storage };
}

function crossEntropyBackward(
  logits: Strided,
  targets: Strided,
  logSumExp: Storage,
  g: Strided,
  ignoreIndex: number,
): Storage {
  const [rows, classes] = logits.shape;
  const x = rowMajor(logits);
  const target = rowMajor<Int32Array>(targets);
  const { storage, data } = newFloats(rows * classes);
  const perRow = rowMajor(g)[0] / countTargets(target, ignoreIndex);
  for (let row = 0; row < rows; row++) {
    if (target[row] === ignoreIndex) continue;
    const start = row * classes;
    const [max, logSum] = [logSumExp.data[2 * row], logSumExp.data[2 * row + 1]];
    for (let j = start; j < start + classes; j++) data[j] = Math.exp(x[j] - max - logSum) * perRow;
    data[start + target[row]] -= perRow;
  }
  return storage;
}

export const crossEntropyKernels: Pick<Kernels, 'crossEntropy' | 'crossEntropyBackward'> = {
  crossEntropy,
  crossEntropyBackward,
};
