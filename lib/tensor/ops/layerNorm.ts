import { kernels } from '../../backend/dispatch.ts';
import { record } from '../autograd.ts';
import { sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * (x − mean) / √(variance + eps) · scale + shift over the last axis d, with the biased variance
 * (Ba, Kiros & Hinton 2016): x [..., d], scale [d], shift [d] → [..., d], in one pass forward and one back.
 * @throws if scale or shift does not have the length of the last axis.
 */
export function layerNorm(x: Tensor, scale: Tensor, shift: Tensor, eps = 1e-5): Tensor {
  const d = x.shape.at(-1)!;
  if (scale.size !== d || shift.size !== d) {
    throw new Error(
      `layerNorm: scale and shift of length ${d} are expected, not ${scale.size} and ${shift.size}`,
    );
  }
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), d]); // [..., d] → [rows, d]
  const { y, mean, rstd } = kernels.layerNorm(rows, scale, shift, eps);
  const out = record('layerNorm', Tensor.of(y, rows.shape), [rows, scale, shift], (g) => {
    const parameters = scale.requiresGrad || shift.requiresGrad;
    const { dx, dscale, dshift } = kernels.layerNormBackward(g, rows, scale, mean, rstd, parameters);
    return [
      Tensor.of(dx, rows.shape),
      dscale ? Tensor.of(dscale, scale.shape) : null,
      dshift ? Tensor.of(dshift, shift.shape) : null,
    ];
  });
  return out.reshape(x.shape);
}
