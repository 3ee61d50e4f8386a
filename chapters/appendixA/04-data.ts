import { Dataset, type Tensor, tensor } from '../../lib/index.ts';

/** Five points of two classes. */
export const trainingPoints = tensor([
  [-1.2, 3.1],
  [-0.9, 2.9],
  [-0.5, 2.6],
  [2.3, -1.1],
  [2.7, -1.5],
]); // [5, 2]
export const trainingLabels = tensor([0, 0, 0, 1, 1], { dtype: 'int32' }); // [5]

/** Two more, for testing. */
export const testPoints = tensor([
  [-0.8, 2.8],
  [2.6, -1.6],
]); // [2, 2]
export const testLabels = tensor([0, 1], { dtype: 'int32' }); // [2]

/** Points and labels, one example at a time; a DataLoader stacks them to batches. */
export class ToyDataset extends Dataset<[Tensor, Tensor]> {
  private readonly points: Tensor;
  private readonly labels: Tensor;

  constructor(points: Tensor, labels: Tensor) {
    super();
    this.points = points;
    this.labels = labels;
  }

  get length(): number {
    return this.labels.shape[0];
  }

  /** A point [2] and its label []. */
  get(position: number): [Tensor, Tensor] {
    return [this.points.index(position), this.labels.index(position)];
  }
}
