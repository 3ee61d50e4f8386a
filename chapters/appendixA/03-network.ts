import { nn, type Tensor } from '../../lib/index.ts';

/** Two hidden layers with ReLU between them. Its parameters are found in its fields. */
export class NeuralNetwork extends nn.Module {
  layers: nn.Sequential;

  constructor(numInputs: number, numOutputs: number) {
    super();
    this.layers = new nn.Sequential(
      new nn.Linear(numInputs, 30),
      new nn.ReLU(),
      new nn.Linear(30, 20),
      new nn.ReLU(),
      new nn.Linear(20, numOutputs),
    );
  }

  /** x [b, numInputs] → logits [b, numOutputs]: any real numbers; softmax makes probabilities of them. */
  forward(x: Tensor): Tensor {
    return this.layers.forward(x); // [b, numInputs] → [b, 30] → [b, 20] → [b, numOutputs]
  }
}

/** How many numbers a module learns. */
export function countParameters(model: nn.Module): number {
  const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
  return trained.reduce((sum, parameter) => sum + parameter.size, 0);
}
