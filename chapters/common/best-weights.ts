import { type nn, noGrad, type Tensor } from '../../lib/index.ts';

/**
 * A copy of the weights that train, as they were when it was last taken: those of a training's best epoch. A run that has one
 * keeps it in its checkpoints too, so that a run that was stopped ends with the same weights.
 */
export class BestWeights {
  private readonly trained: Record<string, Tensor>;
  private copies: Record<string, Tensor> = {};

  constructor(model: nn.Module) {
    const trained = [...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
    this.trained = Object.fromEntries(trained);
  }

  /** Copies the weights as they are now. */
  take(): void {
    this.loadStateDict(this.trained);
  }

  /** Puts the copies in the place of the weights; without any, the weights stay. */
  putBack(): void {
    noGrad(() => {
      for (const [name, copy] of Object.entries(this.copies)) this.trained[name].copyInPlace(copy);
    });
  }

  /** The copies, by the names of the weights; empty before the first. */
  stateDict(): Record<string, Tensor> {
    return this.copies;
  }

  loadStateDict(weights: Record<string, Tensor>): void {
    const copies = Object.entries(weights).map(([name, weight]) => [name, weight.detach().clone()]);
    this.copies = Object.fromEntries(copies);
  }
}
