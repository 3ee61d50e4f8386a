import type { Parameter } from '../nn/parameter.ts';

/** Base of the optimisers: the parameters they change, and forgetting the gradients between steps. */
export abstract class Optimizer {
  readonly params: readonly Parameter[];
  lr: number;

  constructor(params: Iterable<Parameter>, lr: number) {
    this.params = [...params];
    this.lr = lr;
    if (this.params.length === 0) throw new Error('optim: there is no parameter to train');
    if (!(lr >= 0)) throw new Error(`optim: a learning rate of ${lr} is not a positive number`);
  }

  /** Drops the gradients, so that the next backward starts from zero. */
  zeroGrad(): void {
    for (const parameter of this.params) parameter.grad = null;
  }

  /** Changes every parameter that has a gradient. */
  abstract step(): void;
}
