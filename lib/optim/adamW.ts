import { kernels } from '../backend/dispatch.ts';
import { Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { tensor } from '../tensor/create.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
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

  /** The moments and step counts by the parameter's position, to save beside a model. */
  stateDict(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    this.params.forEach((parameter, i) => {
      const moments = this.moments.get(parameter);
      if (!moments) return;
      state[`${i}.m`] = Tensor.of(moments.m, parameter.shape);
      state[`${i}.v`] = Tensor.of(moments.v, parameter.shape);
      state[`${i}.step`] = tensor([moments.step]);
    });
    return state;
  }

  /** Takes over the moments of an optimiser of the same parameters. @throws UserError if the shapes differ */
  loadStateDict(state: Record<string, Tensor>): void {
    this.params.forEach((parameter, i) => {
      const [m, v, step] = [state[`${i}.m`], state[`${i}.v`], state[`${i}.step`]];
      if (!m || !v || !step) return;
      if (!sameShape(m.shape, parameter.shape) || !sameShape(v.shape, parameter.shape)) {
        throw new UserError(
          `the optimiser's state does not fit: parameter ${i} is ${formatShape(parameter.shape)}`,
        );
      }
      const copy = (t: Tensor) => t.clone().storage;
      this.moments.set(parameter, { m: copy(m), v: copy(v), step: step.item() });
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
