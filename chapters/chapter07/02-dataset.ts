import { Dataset } from '../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatExample } from './01-formatting.ts';

/** The parts that a dataset is divided into. */
export interface InstructionParts {
  train: InstructionEntry[];
  valid: InstructionEntry[];
  test: InstructionEntry[];
}

/**
 * The first 85 % to train on, the next 10 % to test with, and the rest, about 5 %, to watch the training by. The
 * order of the file is kept, so the parts are the same in every run.
 */
export function splitEntries(entries: readonly InstructionEntry[]): InstructionParts {
  const train = Math.floor(entries.length * 0.85);
  const test = Math.floor(entries.length * 0.1);
  return {
    train: entries.slice(0, train),
    test: entries.slice(train, train + test),
    valid: entries.slice(train + test),
  };
}

/** The examples as token ids, each as long as it is: filling up is left to the batch (03-collate.ts). */
export class InstructionDataset extends Dataset<number[]> {
  private readonly encoded: number[][];

  constructor(entries: readonly InstructionEntry[], tokeniser: Tokeniser = gpt2Tokeniser) {
    super();
    this.encoded = entries.map((entry) => tokeniser.encode(formatExample(entry)));
  }

  get length(): number {
    return this.encoded.length;
  }

  get(position: number): number[] {
    return this.encoded[position];
  }
}
