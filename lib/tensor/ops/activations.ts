import { checkOptions, checkWord, noMore } from '../../arguments.ts';
import { record } from '../autograd.ts';
import { requireTensors } from '../requireTensors.ts';
import type { Tensor } from '../tensor.ts';
import { unary } from './elementwise.ts';

/** Activation functions put together from elementwise operations. */

export const GELU_FORMS = ['none', 'tanh'] as const;

export interface GeluOptions {
  /** `'none'` is x Φ(x) itself, `'tanh'` the approximation by tanh that GPT-2 was trained with. */
  approximate?: 'none' | 'tanh';
}

/**
 * x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016), of x's shape. The book and GPT-2 have the form with
 * tanh: `{ approximate: 'tanh' }`.
 * @throws UserError for another form
 */
export function gelu(x: Tensor, options: GeluOptions = {}, ...more: []): Tensor {
  noMore('gelu', 2, more);
  checkOptions('gelu', options, ['approximate']);
  requireTensors('gelu', x);
  const approximate = checkWord(options.approximate ?? 'none', GELU_FORMS, 'approximate', 'gelu');
  if (approximate === 'tanh') return unary('gelu', x);
  const input = x.float();
  const cumulative = distribution(input.detach());
  return record('gelu', input.detach().mul(cumulative), [input], [input, cumulative], (g, z, Φ) => {
    const density = z
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI)); // φ(x)
    return [g.mul(Φ.add(z.mul(density)))]; // Φ(x) + x φ(x)
  });
}

/** Φ(x) = ½ (1 + erf(x / √2)). */
function distribution(x: Tensor): Tensor {
  return x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
}

/** x σ(x), also called swish (Elfwing et al. 2017), of x's shape: the activation of Llama's feed-forward layers. */
export function silu(x: Tensor, ...more: []): Tensor {
  noMore('silu', 1, more);
  requireTensors('silu', x);
  return unary('silu', x);
}

/** log σ(x) without overflow, of x's shape. */
export function logSigmoid(x: Tensor, ...more: []): Tensor {
  noMore('logSigmoid', 1, more);
  requireTensors('logSigmoid', x);
  const input = x.float();
  const fixed = input.detach();
  const out = fixed.minimum(0).sub(fixed.abs().neg().exp().log1p()); // min(x, 0) − log(1 + e^−|x|)
  return record('logSigmoid', out, [input], [input], (g, z) => [g.mul(z.neg().sigmoid())]);
}
