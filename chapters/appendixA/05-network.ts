import { manualSeed, nn, noGrad, rand, type Tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';

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

  /** x [b, numInputs] → logits [b, numOutputs]: any real numbers; softmax turns them into probabilities. */
  forward(x: Tensor): Tensor {
    return this.layers.forward(x); // [b, numInputs] → [b, 30] → [b, 20] → [b, numOutputs]
  }
}

/** How many numbers a module learns. */
export function countParameters(model: nn.Module): number {
  const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
  return trained.reduce((sum, parameter) => sum + parameter.size, 0);
}

/** The network's modules, numbers and answer to one example. */
export function showNetwork(nb: Notebook): void {
  const unseeded = new NeuralNetwork(50, 3);
  nb.print(36, unseeded);
  nb.print(37, 'Total number of trainable model parameters:', countParameters(unseeded));
  const firstWeight = (model: NeuralNetwork) => model.stateDict()['layers.0.weight']; // [30, 50]
  nb.print(38, firstWeight(unseeded));
  manualSeed(123);
  const model = new NeuralNetwork(50, 3);
  nb.print(39, firstWeight(model));
  nb.print(40, torchSize(firstWeight(model).shape));
  manualSeed(123);
  const x = rand(1, 50);
  nb.print(41, model.forward(x)); // [1, 3]
  noGrad(() => {
    nb.print(42, model.forward(x));
    nb.print(43, model.forward(x).softmax(1));
  });
}
