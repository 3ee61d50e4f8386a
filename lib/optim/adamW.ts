import { checkNumber, checkOptions, inWords, noMore, refuseSurplus } from '../arguments.ts';
import { kernels } from '../backend/dispatch.ts';
import { Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { tensor } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { MOST_ARGUMENTS, Optimizer, requireStateFits } from './optimizer.ts';

/** AdamW's settings. */
export interface AdamWOptions {
  /** The learning rate; 0.001. */
  lr?: number;
  /** How much of the running means of the gradient and of its square is kept in a step; 0.9 and 0.999. */
  betas?: readonly [number, number];
  /** Added to the root of the mean square, so that nothing is divided by 0; 1e−8. */
  eps?: number;
  /** What part of a parameter a step takes away, times the learning rate; 0.01. */
  weightDecay?: number;
}

/** What AdamW remembers of a parameter: running means of its gradient and of its square. */
interface Moments {
  m: Storage;
  v: Storage;
  step: number;
}

/**
 * AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2) with PyTorch's defaults:
 * Adam with the weight decay separate from the gradient. The decay applies to every parameter, as in the book.
 */
export class AdamW extends Optimizer {
  /** How much of the running means is kept in a step. */
  readonly betas: readonly [number, number];
  /** Added to the root of the mean square. */
  readonly eps: number;
  /** What part of a parameter a step takes away, times the learning rate. */
  readonly weightDecay: number;
  private readonly moments = new Map<Parameter, Moments>();

  /** @throws UserError for an option that is unknown or out of its range: betas in [0, 1), the others at least 0 */
  constructor(params: Iterable<Parameter>, options: AdamWOptions = {}, ...more: []) {
    noMore('AdamW', 2, more);
    checkOptions('AdamW', options, ['lr', 'betas', 'eps', 'weightDecay']);
    super(params, options.lr ?? 1e-3);
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0.01;
    const inRange = (beta: number) => typeof beta === 'number' && beta >= 0 && beta < 1;
    if (!Array.isArray(this.betas) || this.betas.length !== 2 || !this.betas.every(inRange)) {
      const given = Array.isArray(this.betas) ? this.betas.map(inWords).join(', ') : inWords(this.betas);
      throw new UserError(`optim: betas are two numbers from 0 up to, not including, 1, not ${given}`);
    }
    checkNumber(this.eps, 'eps', 'AdamW', 0);
    checkNumber(this.weightDecay, 'weightDecay', 'AdamW', 0);
  }

  step(): void {
    for (const [parameter, gradient] of this.gradients()) {
      const moments = this.momentsOf(parameter);
      moments.step++;
      kernels.adamW(parameter, gradient, moments.m, moments.v, {
        lr: this.lr,
        beta1: this.betas[0],
        beta2: this.betas[1],
        eps: this.eps,
        weightDecay: this.weightDecay,
        step: moments.step,
      });
    }
  }

  /** The means as `i.m` and `i.v`, and how many steps parameter i has had as `i.step`. */
  override stateDict(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    this.params.forEach((parameter, i) => {
      const moments = this.moments.get(parameter);
      state[`${i}.step`] = tensor([moments?.step ?? 0]);
      if (!moments) return;
      state[`${i}.m`] = Tensor.of(moments.m, parameter.shape);
      state[`${i}.v`] = Tensor.of(moments.v, parameter.shape);
    });
    return state;
  }

  override loadStateDict(state: Record<string, Tensor>): void {
    requireStateFits(this.params, state, ['m', 'v']);
    const copy = (t: Tensor) => t.clone().storage;
    this.params.forEach((parameter, i) => {
      const step = state[`${i}.step`].item();
      if (step === 0) this.moments.delete(parameter);
      else this.moments.set(parameter, { m: copy(state[`${i}.m`]), v: copy(state[`${i}.v`]), step });
    });
  }

  private momentsOf(parameter: Parameter): Moments {
    let moments = this.moments.get(parameter);
    if (!moments) {
      const zeros = () => Storage.zeros('float32', parameter.size);
      moments = { m: zeros(), v: zeros(), step: 0 };
      this.moments.set(parameter, moments);
    }
    return moments;
  }
}

refuseSurplus<AdamW>(AdamW.prototype, MOST_ARGUMENTS);
