import { F, nn, ones, type Tensor, zeros } from '../../lib/index.ts';

/**
 * Layer norm written out: each token's vector is moved to mean 0 and stretched to variance 1, then scaled and
 * shifted by what the model has learnt. The variance is the biased one (divided by d, not d − 1), as in GPT-2.
 */
export function layerNormByHand(x: Tensor, scale: Tensor, shift: Tensor, eps = 1e-5): Tensor {
  const mean = x.mean(-1, true); // [b, t, d] → [b, t, 1]
  const variance = x.var(-1, { unbiased: false, keepdim: true }); // [b, t, 1]
  const normalised = x.sub(mean).div(variance.add(eps).sqrt()); // [b, t, d]
  return scale.mul(normalised).add(shift); // [d] · [b, t, d] + [d]
}

/** The layer of the model. F.layerNorm computes the same in one pass; a test holds it to the formula above. */
export class LayerNorm extends nn.Module {
  scale: nn.Parameter;
  shift: nn.Parameter;

  constructor(embDim: number) {
    super();
    this.scale = new nn.Parameter(ones(embDim));
    this.shift = new nn.Parameter(zeros(embDim));
  }

  /** x [..., d] → [..., d]. */
  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.scale, this.shift);
  }
}
