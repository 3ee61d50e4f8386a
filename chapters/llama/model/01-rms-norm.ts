import { F, full, nn, type Tensor, tensor } from '../../../lib/index.ts';
import { LayerNorm } from '../../chapter04/index.ts';
import type { Notebook } from '../../common/notebook.ts';

/**
 * RMS norm written out (Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467): each token's vector is divided by the
 * root of its mean square, then scaled by what the model has learnt. Layer norm's other half, moving the mean to 0 and
 * adding a learnt shift, is left out: it costs time and was found to help little.
 */
export function rmsNormByHand(x: Tensor, scale: Tensor, eps = 1e-5): Tensor {
  const meanSquare = x.square().mean(-1, true); // [b, t, d] → [b, t, 1]
  return x.mul(meanSquare.add(eps).rsqrt()).mul(scale); // [b, t, d] · [b, t, 1] · [d]
}

/** The layer of the model, beside chapter 4's LayerNorm: a scale, and no shift. */
export class RMSNorm extends nn.Module {
  scale: nn.Parameter;
  readonly eps: number;
  /** Added to `scale`, which is 0 at first where this is 1. */
  readonly offset: number;

  constructor(embDim: number, eps: number, offset = 0) {
    super();
    this.scale = new nn.Parameter(full([embDim], 1 - offset));
    this.eps = eps;
    this.offset = offset;
  }

  /** x [..., d] → [..., d]. */
  forward(x: Tensor): Tensor {
    const scale = this.offset === 0 ? this.scale : this.scale.add(this.offset); // [d]
    return F.rmsNorm(x, scale, this.eps); // rmsNormByHand, with a derivative that keeps less
  }
}

/** The two norms on one token's vector, and on the same vector shifted by 10. */
export function showNorms(nb: Notebook): void {
  const x = tensor([[1, 2, 3, 6]]); // [1, 4]
  const [layerNorm, rmsNorm] = [new LayerNorm(4), new RMSNorm(4, 1e-5)];
  for (const [name, input] of [
    ['x     ', x],
    ['x + 10', x.add(10)],
  ] as const) {
    nb.note(`${name}  layer norm ${layerNorm.forward(input).detach()}`);
    nb.note(`${name}  RMS norm   ${rmsNorm.forward(input).detach()}`);
  }
}
