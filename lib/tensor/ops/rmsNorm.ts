import { checkNumber, noMore } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { formatShape, sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { sumToShape } from './elementwise.ts';

/** The distance of 1 to the next float32: PyTorch's eps where none is given. */
const EPSILON = 2 ** -23;

/**
 * x / √(mean(x²) + eps) · weight over the last axis d (Zhang & Sennrich 2019): x [..., d], weight [d] → [..., d].
 * @throws UserError if the weight is not [d]
 */
export function rmsNorm(
  input: Tensor,
  weight?: Tensor | null,
  eps: number | null = EPSILON,
  ...more: []
): Tensor {
  noMore('rmsNorm', 3, more);
  requireTensors('rmsNorm', input);
  requireTensorIfGiven('rmsNorm: weight', weight);
  if (eps !== null) checkNumber(eps, 'eps', 'rmsNorm', 0);
  const x = input.float();
  const d = x.shape.at(-1);
  if (d === undefined || (weight && !sameShape(weight.shape, [d]))) {
    throw new UserError(
      `rmsNorm: x [..., d] and a weight [d] are expected, not ${formatShape(x.shape)} and ` +
        (weight ? formatShape(weight.shape) : 'none'),
    );
  }
  const fixed = x.detach();
  const rstd = fixed
    .square()
    .mean(-1, true) // [..., 1]
    .add(eps ?? EPSILON)
    .rsqrt();
  const normed = fixed.mul(rstd); // [..., d]
  const out = weight ? normed.mul(weight.detach()) : normed;
  const [toX, toWeight] = [x.requiresGrad, weight?.requiresGrad];
  return record('rmsNorm', out, weight ? [x, weight] : [x], [normed, rstd, weight], (g, y, factor, scale) => {
    const toNormed = scale ? g.mul(scale) : g;
    // What points along x itself does not change the normed x.
    const along = y.mul(toNormed.mul(y).mean(-1, true));
    return [toX ? toNormed.sub(along).mul(factor) : null, toWeight ? sumToShape(g.mul(y), [d]) : null];
  });
}
