import { checkNumber, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { ones } from '../create.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { formatShape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/** The distance of 1 to the next float32: PyTorch's eps where none is given. */
const EPSILON = 2 ** -23;

/**
 * x / √(mean(x²) + eps) · weight over the last axis d (Zhang & Sennrich 2019): x [..., d], weight [d] → [..., d],
 * in one pass forward and one back.
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
  const scale = (weight ?? ones(d)).float();
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), d]); // [..., d] → [rows, d]
  const { y, rstd } = kernels.rmsNorm(rows, scale, eps ?? EPSILON);
  const learns = scale.requiresGrad;
  const out = Tensor.of(y, rows.shape);
  const normed = record('rmsNorm', out, [rows, scale], [rows, scale], (g, xs, scales) => {
    const { dx, dscale } = kernels.rmsNormBackward(g, xs, scales, rstd, learns);
    return [Tensor.of(dx, xs.shape), dscale ? Tensor.of(dscale, scales.shape) : null];
  });
  return normed.reshape(x.shape);
}
