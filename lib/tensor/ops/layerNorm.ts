import { checkNumber, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { requireTensors, tensorInWords } from '../requireTensors.ts';
import { sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * (x − mean) / √(variance + eps) · scale + shift over the last axis d, with the biased variance
 * (Ba, Kiros & Hinton 2016): x [..., d], scale [d], shift [d] → [..., d], in one pass forward and one back.
 * @throws UserError if scale or shift does not have the length of the last axis, or is not float32.
 */
export function layerNorm(input: Tensor, scale: Tensor, shift: Tensor, eps = 1e-5, ...more: []): Tensor {
  noMore('layerNorm', 4, more);
  requireTensors('layerNorm', input);
  const x = input.float();
  const d = x.shape.at(-1);
  if (d === undefined) throw new UserError('layerNorm: an input of [..., d] is expected, not one number');
  for (const [name, t] of Object.entries({ scale, shift })) {
    if (t instanceof Tensor && sameShape(t.shape, [d]) && t.dtype === 'float32') continue;
    throw new UserError(`layerNorm: a ${name} of float32 [${d}] is expected, not ${tensorInWords(t)}`);
  }
  checkNumber(eps, 'eps', 'layerNorm', 0);
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), d]); // [..., d] → [rows, d]
  const { y, mean, rstd } = kernels.layerNorm(rows, scale, shift, eps);
  const out = Tensor.of(y, rows.shape);
  const parameters = scale.requiresGrad || shift.requiresGrad;
  const inputs = [rows, scale, shift];
  const normed = record('layerNorm', out, inputs, [rows, scale], (g, xs, scales) => {
    const { dx, dscale, dshift } = kernels.layerNormBackward(g, xs, scales, mean, rstd, parameters);
    return [
      Tensor.of(dx, xs.shape),
      dscale ? Tensor.of(dscale, scales.shape) : null,
      dshift ? Tensor.of(dshift, scales.shape) : null,
    ];
  });
  return normed.reshape(x.shape);
}
