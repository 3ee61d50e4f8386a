import { checkNumber, checkOptions, checkWord, inWords, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { formatShape, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { where } from './elementwise.ts';
import { REDUCTIONS } from './losses.ts';
import { logSoftmax } from './softmax.ts';

/** Which rows count, and how much. */
export interface CrossEntropyOptions {
  /** Rows with this target do not count; −100 as in PyTorch. */
  ignoreIndex?: number;
  /** The mean over the rows that count, their sum, or each row's own loss. */
  reduction?: 'mean' | 'sum' | 'none';
  /** What each class counts, [classes]. */
  weight?: Tensor;
  /** The share of each target that is spread over all classes (Szegedy et al. 2015), from 0 to 1. */
  labelSmoothing?: number;
}

/** The targets as plain numbers. @throws UserError if one of them is neither a class nor `ignoreIndex` */
export function classNumbers(targets: Tensor, classes: number, ignoreIndex: number, what: string): number[] {
  if (targets.dtype !== 'int32') {
    throw new UserError(`${what}: targets have to be int32 class numbers, not ${targets.dtype}`);
  }
  const numbers = targets.toFlatArray() as number[];
  for (const target of numbers) {
    if (target !== ignoreIndex && !(target >= 0 && target < classes)) {
      throw new UserError(`${what}: the target ${target} is not one of ${classes} classes`);
    }
  }
  return numbers;
}

/**
 * −log softmax(logits)[target] for logits [n, classes] and int32 targets [n]; also for one row, [classes] and [], and
 * with further axes, [n, classes, …] and [n, …]. Targets of the logits' own shape (float32) are probabilities.
 * @throws UserError if the shapes do not fit or a target is not a class.
 */
export function crossEntropy(
  input: Tensor,
  targets: Tensor,
  options: CrossEntropyOptions = {},
  ...more: []
): Tensor {
  noMore('crossEntropy', 3, more);
  checkCrossEntropy(input, targets, options);
  const { ignoreIndex = -100, reduction = 'mean', weight, labelSmoothing = 0 } = options;
  const logits = rowsOfClasses(input.float()); // [n, classes]
  if (targets.dtype === 'float32') {
    const losses = lossOfProbabilities(logits, rowsOfClasses(targets), weight, labelSmoothing);
    return reduceLosses(losses, losses.size, withoutClasses(input), reduction);
  }
  classNumbers(targets, logits.shape[1], ignoreIndex, 'crossEntropy');
  const labels = targets.flatten(); // [n]
  if (reduction === 'mean' && !weight && labelSmoothing === 0) return meanLoss(logits, labels, ignoreIndex);
  const { losses, counts } = lossOfLabels(logits, labels, ignoreIndex, weight, labelSmoothing);
  return reduceLosses(losses, counts.sum(), withoutClasses(input), reduction);
}

/**
 * The usual case in one pass. The logits are not copied: backward computes the probabilities again from each row's
 * log-sum-exp.
 */
function meanLoss(logits: Tensor, labels: Tensor, ignoreIndex: number): Tensor {
  const { loss, logSumExp } = kernels.crossEntropy(logits, labels, ignoreIndex);
  return record('crossEntropy', Tensor.of(loss, []), [logits], [logits, labels], (g, x, classes) => [
    Tensor.of(kernels.crossEntropyBackward(x, classes, logSumExp, g.reshape(1), ignoreIndex), x.shape),
  ]);
}

/** Each row's loss [n], and what each row counts [n]. */
function lossOfLabels(
  logits: Tensor,
  labels: Tensor,
  ignoreIndex: number,
  weight: Tensor | undefined,
  smoothing: number,
): { losses: Tensor; counts: Tensor } {
  const logp = logSoftmax(logits);
  const counted = labels.ne(ignoreIndex);
  const safe = where(counted, labels, 0);
  const own = weight ? weight.indexSelect(0, safe) : counted.float();
  const counts = where(counted, own, 0);
  const ofTarget = logp.gather(1, safe.unsqueeze(1)).squeeze(1).mul(own);
  if (smoothing === 0) return { losses: where(counted, ofTarget.neg(), 0), counts };
  const ofAll = (weight ? logp.mul(weight) : logp).sum(1).mul(smoothing / logits.shape[1]);
  return {
    losses: where(
      counted,
      ofTarget
        .mul(1 - smoothing)
        .add(ofAll)
        .neg(),
      0,
    ),
    counts,
  };
}

/** Each row's loss [n] against probabilities [n, classes]. */
function lossOfProbabilities(
  logits: Tensor,
  targets: Tensor,
  weight: Tensor | undefined,
  smoothing: number,
): Tensor {
  const smooth = smoothing === 0 ? targets : targets.mul(1 - smoothing).add(smoothing / logits.shape[1]);
  const products = logSoftmax(logits).mul(smooth);
  return (weight ? products.mul(weight) : products).sum(1).neg();
}

function reduceLosses(
  losses: Tensor,
  count: Tensor | number,
  shape: readonly number[],
  reduction: 'mean' | 'sum' | 'none',
): Tensor {
  if (reduction === 'none') return losses.reshape([...shape]);
  return reduction === 'sum' ? losses.sum() : losses.sum().div(count);
}

/** [n, classes, …] → [n · …, classes]; [classes] → [1, classes]. */
function rowsOfClasses(x: Tensor): Tensor {
  if (x.ndim < 2) return x.unsqueeze(0);
  if (x.ndim === 2) return x;
  const order = [0, ...x.shape.slice(2).map((_, i) => i + 2), 1];
  const last = x.permute(order);
  return last.reshape([last.shape.slice(0, -1).reduce((a, b) => a * b, 1), x.shape[1]]);
}

/** The shape of the targets that fit these logits: without the classes. */
const withoutClasses = ({ shape }: Tensor) => shape.toSpliced(shape.length === 1 ? 0 : 1, 1);

function checkCrossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions): void {
  requireTensors('crossEntropy', logits, targets);
  checkOptions('crossEntropy', options, ['ignoreIndex', 'reduction', 'weight', 'labelSmoothing']);
  const { reduction = 'mean', weight, labelSmoothing = 0, ignoreIndex = -100 } = options;
  checkWord(reduction, REDUCTIONS, 'reduction', 'crossEntropy');
  requireTensorIfGiven('crossEntropy: weight', weight);
  if (!Number.isInteger(ignoreIndex)) {
    throw new UserError(`crossEntropy: ignoreIndex is a whole number, not ${inWords(ignoreIndex)}`);
  }
  checkNumber(labelSmoothing, 'labelSmoothing', 'crossEntropy', 0, 1);
  const probabilities = targets.dtype === 'float32' && sameShape(targets.shape, logits.shape);
  if (logits.ndim === 0 || !(probabilities || sameShape(targets.shape, withoutClasses(logits)))) {
    throw new UserError(
      `crossEntropy: logits [n, classes] and targets [n] are expected, not ${formatShape(logits.shape)} ` +
        `and ${formatShape(targets.shape)}`,
    );
  }
  const classes = logits.shape[logits.ndim === 1 ? 0 : 1];
  if (weight && !(weight.dtype === 'float32' && sameShape(weight.shape, [classes]))) {
    throw new UserError(
      `crossEntropy: weight is a float32 tensor of [${classes}], one number for each class`,
    );
  }
}
