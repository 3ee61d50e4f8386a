import type { Parameter } from '../nn/parameter.ts';
import { noGrad } from '../tensor/autograd.ts';
import { Optimizer } from './optimizer.ts';

/** Stochastic gradient descent: parameter −= lr · gradient. */
export class SGD extends Optimizer {
  constructor(params: Iterable<Parameter>, options: { lr: number }) {
    super(params, options.lr);
  }

  step(): void {
    noGrad(() => {
      for (const parameter of this.params) {
        if (parameter.grad) parameter.addInPlace(parameter.grad.mul(-this.lr));
      }
    });
  }
}
