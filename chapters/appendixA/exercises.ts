import { DataLoader, Dataset, F, noGrad, optim, stack, type Tensor, tensor } from '../../lib/index.ts';
import { largest } from '../common/largest.ts';
import { NeuralNetwork } from './05-network.ts';

/** Solutions to the exercises of this appendix's page. */

/**
 * 1. The gradient of a scalar function at x, by nudging every number of x: [..] → [..]. Half the difference of f a
 * step above and a step below, divided by the step.
 */
export function numericGradient(f: (x: Tensor) => Tensor, x: Tensor, step = 1e-2): Tensor {
  const start = x.toFlatArray() as number[];
  const at = (i: number, by: number) => {
    const nudged = tensor(start.with(i, start[i] + by)).reshape(x.shape);
    return noGrad(() => f(nudged).item());
  };
  // From both sides: the error is then of the order of step², and float32 does not allow a very small step.
  const slopes = start.map((_, i) => (at(i, step) - at(i, -step)) / (2 * step));
  return tensor(slopes).reshape(x.shape);
}

/**
 * 2. A network for exclusive or: true where exactly one of two inputs is. No single layer can do it.
 * `NeuralNetwork` has what it takes: train it on the four cases with `optim.SGD`.
 */
export function trainExclusiveOr(epochs = 200): NeuralNetwork {
  const points = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]); // [4, 2]
  const labels = tensor([0, 1, 1, 0], { dtype: 'int32' }); // [4]
  const model = new NeuralNetwork(2, 2);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const loss = F.crossEntropy(model.forward(points), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  }
  return model;
}

/** 3. Gradient descent that keeps some of its speed: v ← momentum · v + gradient, parameter −= lr · v. */
export class Momentum extends optim.Optimizer {
  private readonly momentum: number;
  private readonly speeds = new Map<Tensor, Tensor>();

  constructor(params: ConstructorParameters<typeof optim.SGD>[0], options: { lr: number; momentum: number }) {
    super(params, options.lr);
    this.momentum = options.momentum;
  }

  step(): void {
    noGrad(() => {
      for (const parameter of this.params) {
        if (!parameter.grad) continue;
        const before = this.speeds.get(parameter);
        const speed = before ? before.mul(this.momentum).add(parameter.grad) : parameter.grad.clone();
        this.speeds.set(parameter, speed);
        parameter.addInPlace(speed.mul(-this.lr));
      }
    });
  }
}

/**
 * 4. Lists of different lengths, as batches that are padded with `padding`: int32 [b, longest of the batch]. A
 * `collate` gets the rows of a batch: their longest says how wide it is.
 */
export function paddedLoader(
  lists: readonly number[][],
  batchSize: number,
  padding = 0,
): DataLoader<number[], Tensor> {
  class Lists extends Dataset<number[]> {
    readonly length = lists.length;
    get(position: number): number[] {
      return lists[position];
    }
  }
  const collate = (rows: number[][]) => {
    const longest = largest(rows.map((row) => row.length));
    const fill = (row: number[]) => [...row, ...Array<number>(longest - row.length).fill(padding)];
    return stack(rows.map((row) => tensor(fill(row), { dtype: 'int32' }))); // b × [longest] → [b, longest]
  };
  return new DataLoader(new Lists(), { batchSize, collate });
}
