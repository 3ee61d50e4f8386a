import { kernels } from '../backend/dispatch.ts';
import { Storage } from '../backend/storage.ts';
import type { Parameter } from '../nn/parameter.ts';
import { Optimizer } from './optimizer.ts';

export interface AdamWOptions {
  lr?: number;
  betas?: readonly [number, number];
  eps?: number;
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
 * Adam with the weight decay apart from the gradient. The decay applies to every parameter, as in the book.
 */
export class AdamW extends Optimizer {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  private readonly moments = new Map<Parameter, Moments>();

  constructor(params: Iterable<Parameter>, options: AdamWOptions = {}) {
    super(params, options.lr ?? 1e-3);
    this.betas = options.betas ?? [0.9, 0.999];
    this.eps = options.eps ?? 1e-8;
    this.weightDecay = options.weightDecay ?? 0.01;
  }

  step(): void {
    for (const parameter of this.params) {
      if (!parameter.grad) continue;
      const moments = this.momentsOf(parameter);
      moments.step++;
      kernels.adamW(parameter, parameter.grad, moments.m, moments.v, {
        lr: this.lr,
        beta1: this.betas[0],
        beta2: this.betas[1],
        eps: this.eps,
        weightDecay: this.weightDecay,
        step: moments.step,
      });
    }
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
