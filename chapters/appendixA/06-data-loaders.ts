import { DataLoader, Dataset, manualSeed, type Tensor, tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

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

/** Points and labels, one example at a time; a DataLoader stacks them into batches. */
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

/** Shuffled; the fifth example, which would be a batch alone, is left out of each epoch. */
export function trainingLoader(): DataLoader {
  const dataset = new ToyDataset(trainingPoints, trainingLabels);
  return new DataLoader(dataset, { batchSize: 2, shuffle: true, dropLast: true });
}

/** The batches of one epoch, with the last one and without. */
export function showDataLoaders(nb: Notebook): void {
  const dataset = new ToyDataset(trainingPoints, trainingLabels);
  nb.print(49, dataset.length);
  manualSeed(123);
  const show = (cell: number, loader: DataLoader) => {
    let batch = 0;
    for (const [points, labels] of loader) nb.print(cell, `Batch ${++batch}:`, points, labels); // [2, 2], [2]
  };
  show(52, new DataLoader(dataset, { batchSize: 2, shuffle: true }));
  show(54, trainingLoader());
}
