import { checkNumber, checkOptions, noMore, refuseSurplus } from '../arguments.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { noGrad } from '../tensor/autograd.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { MOST_ARGUMENTS, Optimizer, requireStateFits } from './optimizer.ts';

/** SGD's settings. */
export interface SGDOptions {
  /** The learning rate. */
  lr: number;
  /** How much of the last step's direction is kept, as in PyTorch: direction = momentum · direction + gradient. */
  momentum?: number;
  /** Adds weightDecay · parameter to the gradient. */
  weightDecay?: number;
}

/** Stochastic gradient descent: parameter −= lr · gradient, or lr · direction with momentum. */
export class SGD extends Optimizer {
  /** How much of the last step's direction is kept. */
  readonly momentum: number;
  /** Times the parameter, what is added to its gradient. */
  readonly weightDecay: number;
  /** The running direction of each parameter, and its steps. */
  private readonly directions = new Map<Parameter, { direction: Tensor; step: number }>();

  /** @throws UserError for an option that is unknown, or negative */
  constructor(params: Iterable<Parameter>, options: SGDOptions, ...more: []) {
    noMore('SGD', 2, more);
    checkOptions('SGD', options ?? {}, ['lr', 'momentum', 'weightDecay']);
    if (options?.lr === undefined)
      throw new UserError('SGD: a learning rate is needed: new SGD(params, { lr: 0.1 })');
    super(params, options.lr);
    this.momentum = options.momentum ?? 0;
    this.weightDecay = options.weightDecay ?? 0;
    checkNumber(this.momentum, 'momentum', 'SGD', 0);
    checkNumber(this.weightDecay, 'weightDecay', 'SGD', 0);
  }

  step(): void {
    noGrad(() => {
      for (const [parameter, grad] of this.gradients()) {
        const decay = this.weightDecay;
        const gradient = decay === 0 ? grad : grad.add(parameter.detach().mul(decay));
        const direction = this.momentum === 0 ? gradient : this.withMomentum(parameter, gradient);
        parameter.addInPlace(direction.mul(-this.lr));
      }
    });
  }

  /** The directions as `i.direction`, and how many steps parameter i has had with momentum as `i.step`. */
  override stateDict(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    this.params.forEach((parameter, i) => {
      const kept = this.directions.get(parameter);
      state[`${i}.step`] = tensor([kept?.step ?? 0]);
      if (kept) state[`${i}.direction`] = kept.direction;
    });
    return state;
  }

  override loadStateDict(state: Record<string, Tensor>): void {
    requireStateFits(this.params, state, ['direction']);
    this.params.forEach((parameter, i) => {
      const step = state[`${i}.step`].item();
      if (step === 0) this.directions.delete(parameter);
      else this.directions.set(parameter, { direction: state[`${i}.direction`].clone(), step });
    });
  }

  private withMomentum(parameter: Parameter, gradient: Tensor): Tensor {
    const kept = this.directions.get(parameter);
    const direction = kept ? kept.direction.mul(this.momentum).add(gradient) : gradient.clone();
    this.directions.set(parameter, { direction, step: (kept?.step ?? 0) + 1 });
    return direction;
  }
}

refuseSurplus<SGD>(SGD.prototype, MOST_ARGUMENTS);
