import { kernels } from '../../backend/dispatch.ts';
import { record } from '../autograd.ts';
import { formatShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The targets as plain numbers. @throws if one of them is neither a class nor `ignoreIndex` */
export function classNumbers(targets: Tensor, classes: number, ignoreIndex: number, what: string): number[] {
  if (targets.dtype === 'float32')
    throw new Error(`${what}: targets have to be int32 class numbers, not float32`);
  const numbers = targets.to('int32').toFlatArray() as number[];
  for (const target of numbers) {
    if (target !== ignoreIndex && !(target >= 0 && target < classes)) {
      throw new Error(`${what}: the target ${target} is not one of ${classes} classes`);
    }
  }
  return numbers;
}

/**
 * The mean over the rows of −log softmax(logits)[target], for logits [n, v] and int32 targets [n]; rows whose
 * target is `ignoreIndex` (−100 as in PyTorch) do not count. The logits are not copied: backward computes the
 * probabilities again from each row's log-sum-exp.
 * @throws if the shapes do not fit or a target is not a class.
 */
export function crossEntropy(
  logits: Tensor,
  targets: Tensor,
  options: { ignoreIndex?: number } = {},
): Tensor {
  const { ignoreIndex = -100 } = options;
  if (logits.ndim === 1 && targets.ndim === 0) {
    return crossEntropy(logits.unsqueeze(0), targets.unsqueeze(0), options);
  }
  if (logits.ndim !== 2 || targets.ndim !== 1 || logits.shape[0] !== targets.shape[0]) {
    throw new Error(
      `crossEntropy: logits [n, classes] and targets [n] are expected, not ${formatShape(logits.shape)} ` +
        `and ${formatShape(targets.shape)}`,
    );
  }
  classNumbers(targets, logits.shape[1], ignoreIndex, 'crossEntropy');
  const labels = targets.to('int32');
  const { loss, logSumExp } = kernels.crossEntropy(logits, labels, ignoreIndex);
  return record('crossEntropy', Tensor.of(loss, []), [logits], (g) => [
    Tensor.of(
      kernels.crossEntropyBackward(logits, labels, logSumExp, g.reshape(1), ignoreIndex),
      logits.shape,
    ),
  ]);
}
