import { noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { UserError } from '../../errors.ts';
import { record } from '../autograd.ts';
import { requireTensors, tensorInWords } from '../requireTensors.ts';
import { formatShape, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';

/**
 * Rotary position embedding (Su et al. 2021, https://arxiv.org/abs/2104.09864, section 3.4.2): in the row of token p of
 * x [..., t, d] the point (x[i], x[i + d/2]) is turned by the angle whose cosine and sine are cos[p, i] and sin[p, i], both
 * [t, d/2]. The transpose of a rotation is the rotation back, and so is its derivative.
 * @throws UserError if cos or sin is not float32 [t, d/2], or requires a gradient, which it does not get
 */
export function rotaryEmbedding(input: Tensor, cos: Tensor, sin: Tensor, ...more: []): Tensor {
  noMore('rotaryEmbedding', 3, more);
  requireTensors('rotaryEmbedding', input);
  const x = input.float();
  const [tokens, d] = [x.shape.at(-2), x.shape.at(-1)];
  if (tokens === undefined || d === undefined || d % 2 !== 0) {
    throw new UserError(
      `rotaryEmbedding: x [..., t, d] with an even d is expected, not ${formatShape(x.shape)}`,
    );
  }
  const angles = [tokens, d / 2];
  for (const [name, t] of Object.entries({ cos, sin })) {
    const fits = t instanceof Tensor && sameShape(t.shape, angles) && t.dtype === 'float32';
    if (fits && !t.requiresGrad) continue;
    const given = fits ? 'one that requires a gradient' : tensorInWords(t);
    throw new UserError(
      `rotaryEmbedding: a fixed ${name} of float32 [${angles.join(', ')}] is expected, not ${given}`,
    );
  }
  const out = Tensor.of(kernels.rotary(x, cos, sin, false), x.shape);
  return record('rotaryEmbedding', out, [x], [cos, sin], (g, cosines, sines) => [
    Tensor.of(kernels.rotary(g, cosines, sines, true), g.shape),
  ]);
}
