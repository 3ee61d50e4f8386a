import { F, manualSeed, nn, ones, randn, setPrintOptions, type Tensor, zeros } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

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

/** The layer of the model. F.layerNorm computes the same in one pass; a test compares it with the formula above. */
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

/** Six outputs of a small layer for each of two examples, moved to mean 0 and variance 1, by steps and by LayerNorm. */
export function showLayerNorm(nb: Notebook): void {
  manualSeed(123);
  const examples = randn(2, 5);
  const out = new nn.Sequential(new nn.Linear(5, 6), new nn.ReLU()).forward(examples); // [2, 5] → [2, 6]
  nb.print(22, out);

  const mean = out.mean(-1, true); // [2, 6] → [2, 1]
  const variance = out.var(-1, { keepdim: true }); // [2, 1], divided by 5: PyTorch's default
  printMoments(nb, 24, mean, variance);

  const normalised = out.sub(mean).div(variance.sqrt()); // [2, 6]
  nb.print(28, `Normalized layer outputs:\n ${normalised}`);
  const newMean = normalised.mean(-1, true);
  const newVariance = normalised.var(-1, { keepdim: true });
  printMoments(nb, 28, newMean, newVariance);

  // A mean of 0 is 0 up to rounding, some 1e-8; without powers of ten it reads as what it is.
  setPrintOptions({ sciMode: false });
  printMoments(nb, 30, newMean, newVariance);

  const layer = new LayerNorm(6);
  const outNorm = layer.forward(out); // [2, 6]
  printMoments(nb, 35, outNorm.mean(-1, true), outNorm.var(-1, { unbiased: false, keepdim: true }));
  setPrintOptions({ sciMode: null });
}

function printMoments(nb: Notebook, cell: number, mean: Tensor, variance: Tensor): void {
  nb.print(cell, `Mean:\n ${mean}`);
  nb.print(cell, `Variance:\n ${variance}`);
}
