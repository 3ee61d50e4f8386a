import { defaultGenerator, drawBaseSeed, shuffledOrder } from '../random/index.ts';
import { tensor } from '../tensor/create.ts';
import { stack } from '../tensor/ops/indexing.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Dataset } from './dataset.ts';

/** How a DataLoader makes its batches. */
export interface DataLoaderOptions<T, B> {
  /** Examples of a batch; 1. */
  batchSize?: number;
  /** A new order in each pass, from the default generator. */
  shuffle?: boolean;
  /** Leaves a last batch out that is not full. */
  dropLast?: boolean;
  /** Makes a batch of the examples. By default tensors are stacked, field by field. */
  collate?: (examples: T[]) => B;
}

/** Stacks tensors (and numbers, as int32 where whole) along a new first axis, field by field. */
export function defaultCollate(examples: unknown[]): unknown {
  const [first] = examples;
  if (first instanceof Tensor) return stack(examples as Tensor[]);
  if (typeof first === 'number') {
    const dtype = (examples as number[]).every(Number.isInteger) ? 'int32' : 'float32';
    return tensor(examples as number[], { dtype });
  }
  if (Array.isArray(first)) {
    return first.map((_, field) =>
      defaultCollate((examples as unknown[][]).map((example) => example[field])),
    );
  }
  return examples;
}

/**
 * Batches of a dataset, in order or shuffled: each pass over it draws from the default generator what
 * PyTorch's DataLoader draws, so that the order of every epoch is PyTorch's.
 */
export class DataLoader<T = [Tensor, Tensor], B = T> implements Iterable<B> {
  /** Where the examples come from. */
  readonly dataset: Dataset<T>;
  /** Examples of a batch; the last one may have fewer. */
  readonly batchSize: number;
  /** Is the order a new one in each pass? */
  readonly shuffle: boolean;
  /** Is a last batch left out that is not full? */
  readonly dropLast: boolean;
  private readonly collate: (examples: T[]) => B;

  constructor(dataset: Dataset<T>, options: DataLoaderOptions<T, B> = {}) {
    this.dataset = dataset;
    this.batchSize = options.batchSize ?? 1;
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    this.collate = options.collate ?? (defaultCollate as (examples: T[]) => B);
    if (!(Number.isInteger(this.batchSize) && this.batchSize > 0)) {
      throw new Error(`DataLoader: a batch size of ${this.batchSize} is not a positive integer`);
    }
    if (dataset.length === 0) throw new Error('DataLoader: the dataset is empty');
  }

  /** The number of batches of one pass. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** As in PyTorch, asking for an iterator draws once, and asking it for the first batch once more. */
  [Symbol.iterator](): Generator<B> {
    drawBaseSeed(defaultGenerator);
    return this.batches();
  }

  private *batches(): Generator<B> {
    const order = this.shuffle ? shuffledOrder(this.dataset.length, defaultGenerator) : undefined;
    for (let batch = 0; batch < this.length; batch++) {
      const start = batch * this.batchSize;
      const end = Math.min(start + this.batchSize, this.dataset.length);
      const examples: T[] = [];
      for (let i = start; i < end; i++) examples.push(this.dataset.get(order ? order[i] : i));
      yield this.collate(examples);
    }
  }
}
