import { checkCount, checkFlag, checkOptions, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
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
  /** Leaves out a last batch that is not full. */
  dropLast?: boolean;
  /** Makes a batch of the examples. By default tensors are stacked, field by field. */
  collate?: (examples: T[]) => B;
}

/**
 * Stacks tensors (and numbers, as int32 where whole, and booleans) along a new first axis, field by field.
 * @throws UserError if the examples of a batch are not alike
 */
export function defaultCollate(examples: unknown[]): unknown {
  const [first] = examples;
  refuseMixed(examples);
  if (first instanceof Tensor) return stack(examples as Tensor[]);
  if (typeof first === 'boolean') return tensor(examples as boolean[]);
  if (typeof first === 'number') {
    const dtype = (examples as number[]).every(Number.isInteger) ? 'int32' : 'float32';
    return tensor(examples as number[], { dtype });
  }
  if (Array.isArray(first)) {
    const other = (examples as unknown[][]).find((example) => example.length !== first.length);
    if (other) {
      throw new UserError(
        `DataLoader: examples of ${first.length} and of ${other.length} fields cannot be one batch; pad them, or give a collate`,
      );
    }
    return first.map((_, field) =>
      defaultCollate((examples as unknown[][]).map((example) => example[field])),
    );
  }
  return examples;
}

const kindOf = (example: unknown) =>
  example instanceof Tensor ? 'tensor' : Array.isArray(example) ? 'array' : typeof example;

function refuseMixed(examples: readonly unknown[]): void {
  const other = examples.find((example) => kindOf(example) !== kindOf(examples[0]));
  if (other === undefined) return;
  throw new UserError(
    `DataLoader: ${inWords(examples[0])} and ${inWords(other)} cannot be in one batch; give a collate`,
  );
}

/** @throws UserError unless it has a length and examples by position */
function checkDataset(dataset: Dataset<unknown>): void {
  if (typeof dataset !== 'object' || dataset === null || typeof dataset.get !== 'function') {
    throw new UserError(`DataLoader: a dataset has a length and get(position), not ${inWords(dataset)}`);
  }
  checkCount(dataset.length, 0, "the dataset's length", 'DataLoader');
  if (dataset.length === 0) throw new UserError('DataLoader: the dataset is empty');
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
  /** Is a last batch that is not full left out? */
  readonly dropLast: boolean;
  private readonly collate: (examples: T[]) => B;

  /** @throws UserError if the dataset is empty, or an option is unknown or out of its range */
  constructor(dataset: Dataset<T>, options: DataLoaderOptions<T, B> = {}, ...more: []) {
    noMore('DataLoader', 2, more);
    checkDataset(dataset);
    checkOptions('DataLoader', options, ['batchSize', 'shuffle', 'dropLast', 'collate']);
    const { batchSize = 1, shuffle = false, dropLast = false, collate = defaultCollate } = options;
    this.dataset = dataset;
    this.batchSize = checkCount(batchSize, 1, 'batchSize', 'DataLoader');
    this.shuffle = checkFlag(shuffle, 'shuffle', 'DataLoader');
    this.dropLast = checkFlag(dropLast, 'dropLast', 'DataLoader');
    this.collate = collate as (examples: T[]) => B;
    if (typeof collate !== 'function')
      throw new UserError(`DataLoader: collate is a function, not ${inWords(collate)}`);
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

  private example(position: number): T {
    const example = this.dataset.get(position);
    if (example !== undefined) return example;
    throw new UserError(
      `DataLoader: the dataset has a length of ${this.dataset.length}, but nothing at position ${position}`,
    );
  }

  private *batches(): Generator<B> {
    const order = this.shuffle ? shuffledOrder(this.dataset.length, defaultGenerator) : undefined;
    for (let batch = 0; batch < this.length; batch++) {
      const start = batch * this.batchSize;
      const end = Math.min(start + this.batchSize, this.dataset.length);
      const examples: T[] = [];
      for (let i = start; i < end; i++) examples.push(this.example(order ? order[i] : i));
      yield this.collate(examples);
    }
  }
}
