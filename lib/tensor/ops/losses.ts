import { checkOptions, checkWord, noMore } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { logSigmoid } from './activations.ts';

/** What becomes of the losses of single elements: their mean, their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none';

export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'none'];

function reduceLoss(losses: Tensor, reduction: Reduction, what: string): Tensor {
  checkWord(reduction, REDUCTIONS, 'reduction', what);
  return reduction === 'none' ? losses : losses[reduction]();
}

/**
 * (input − target)², of both shapes broadcast, and its mean unless `reduction` says otherwise.
 * @throws UserError if the shapes do not broadcast
 */
export function mseLoss(
  input: Tensor,
  target: Tensor,
  options: { reduction?: Reduction } = {},
  ...more: []
): Tensor {
  noMore('mseLoss', 3, more);
  checkOptions('mseLoss', options, ['reduction']);
  requireTensors('mseLoss', input, target);
  return reduceLoss(input.float().sub(target.float()).square(), options.reduction ?? 'mean', 'mseLoss');
}

/** How the losses of single elements count. */
export interface BinaryCrossEntropyOptions {
  /** What becomes of them; `mean`. */
  reduction?: Reduction;
  /** A factor for each element's loss, broadcast. */
  weight?: Tensor;
  /** A factor for the positive part of each loss, broadcast: above 1 it favours recall. */
  posWeight?: Tensor;
}

/**
 * −(y log σ(x) + (1 − y) log(1 − σ(x))) for logits x and targets y of one shape, without the overflow that sigmoid and log
 * in turn would have; its mean unless `reduction` says otherwise.
 * @throws UserError if the shapes differ
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  options: BinaryCrossEntropyOptions = {},
  ...more: []
): Tensor {
  const what = 'binaryCrossEntropyWithLogits';
  noMore(what, 3, more);
  checkOptions(what, options, ['reduction', 'weight', 'posWeight']);
  requireTensors(what, logits, targets);
  if (!sameShape(logits.shape, targets.shape)) {
    throw new UserError(
      `${what}: targets of ${formatShape(logits.shape)} are expected, not ${formatShape(targets.shape)}`,
    );
  }
  const { reduction = 'mean', weight, posWeight } = options;
  requireTensorIfGiven(`${what}: weight`, weight);
  requireTensorIfGiven(`${what}: posWeight`, posWeight);
  const y = targets.float();
  // log(1 − σ(x)) = log σ(x) − x: collecting both, (1 − y) x − (1 + (w − 1) y) log σ(x).
  const positive = posWeight ? posWeight.sub(1).mul(y).add(1) : undefined;
  const likelihood = logSigmoid(logits);
  const losses = y
    .neg()
    .add(1)
    .mul(logits)
    .sub(positive ? positive.mul(likelihood) : likelihood);
  return reduceLoss(weight ? losses.mul(weight) : losses, reduction, what);
}
