import { checkFlag, checkNumber, checkOptions, noMore } from '../arguments.ts';
import { ones } from '../tensor/create.ts';
import { toExponential } from '../tensor/format.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as F from './functional.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/**
 * Root mean square norm over the last axis, with a weight [dim] of ones at first (Zhang & Sennrich 2019): the norm of
 * Llama. Without an eps it is float32's own, 1.19e−7, as in PyTorch.
 */
export class RMSNorm extends Module {
  /** [dim], ones at first; null without `elementwiseAffine`. */
  weight: Parameter | null;
  /** Added to the mean square, so that nothing is divided by 0; null is float32's own, 1.19e−7. */
  readonly eps: number | null;
  private readonly dim: number;

  constructor(dim: number, options: { eps?: number | null; elementwiseAffine?: boolean } = {}, ...more: []) {
    super();
    noMore('RMSNorm', 2, more);
    checkOptions('RMSNorm', options, ['eps', 'elementwiseAffine']);
    this.dim = dim;
    const { eps = null, elementwiseAffine = true } = options;
    this.eps = eps === null ? null : checkNumber(eps, 'eps', 'RMSNorm', 0);
    this.weight = checkFlag(elementwiseAffine, 'elementwiseAffine', 'RMSNorm')
      ? new Parameter(ones(dim))
      : null;
  }

  protected override describe(): string {
    const affine = this.weight ? 'True' : 'False';
    return `(${this.dim},), eps=${this.eps === null ? 'None' : toExponential(this.eps, 0)}, elementwise_affine=${affine}`;
  }

  /** x [..., dim] → [..., dim]. */
  forward(x: Tensor): Tensor {
    return F.rmsNorm(x, this.weight, this.eps);
  }
}
