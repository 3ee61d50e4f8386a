import { checkOptions, checkWord, noMore } from '../arguments.ts';
import { GELU_FORMS } from '../tensor/ops/activations.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as F from './functional.ts';
import { Module } from './module.ts';

/** Activation functions as modules, for a place in a Sequential. */

/** x Φ(x): exact by default, as PyTorch's nn.GELU; the book and GPT-2 have `{ approximate: 'tanh' }`. */
export class GELU extends Module {
  /** Exact (`none`), or by a tanh. */
  readonly approximate: 'none' | 'tanh';

  constructor(options: F.GeluOptions = {}, ...more: []) {
    super();
    noMore('GELU', 1, more);
    checkOptions('GELU', options, ['approximate']);
    this.approximate = checkWord(options.approximate ?? 'none', GELU_FORMS, 'approximate', 'GELU');
  }

  protected override describe(): string {
    return `approximate='${this.approximate}'`;
  }

  /** x of any shape → the same shape. */
  forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: this.approximate });
  }
}

/** x σ(x). */
export class SiLU extends Module {
  /** x of any shape → the same shape. */
  forward(x: Tensor): Tensor {
    return F.silu(x);
  }
}
