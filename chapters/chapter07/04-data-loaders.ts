import { DataLoader, manualSeed, type Tensor } from '../../lib/index.ts';
import type { Tokeniser } from '../chapter05/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import type { InstructionParts } from './02-preparing-the-dataset.ts';
import { customCollate, InstructionDataset } from './03-batches.ts';

export type InstructionLoader = DataLoader<number[], [Tensor, Tensor]>;

export interface InstructionLoaders {
  train: InstructionLoader;
  valid: InstructionLoader;
  test: InstructionLoader;
}

/** Batches of inputs and targets [b, t], t being the longest example of the batch but at most `maxLength`. */
export function makeInstructionLoaders(
  parts: InstructionParts,
  options: {
    batchSize: number;
    maxLength: number;
    tokeniser?: Tokeniser;
    /** What ends an example, and fills up shorter ones; GPT-2's `<|endoftext|>`. */
    endId?: number;
  },
): InstructionLoaders {
  const { batchSize, maxLength, tokeniser, endId } = options;
  const collate = (examples: number[][]) =>
    customCollate(examples, { allowedMaxLength: maxLength, padTokenId: endId });
  const dataset = (entries: InstructionEntry[]) => new InstructionDataset(entries, tokeniser);
  return {
    train: new DataLoader(dataset(parts.train), {
      batchSize,
      collate,
      shuffle: true,
      dropLast: true,
    }),
    valid: new DataLoader(dataset(parts.valid), { batchSize, collate }),
    test: new DataLoader(dataset(parts.test), { batchSize, collate }),
  };
}

/** The shapes of all training batches, and the first row of the last one. */
export function showLoaders(nb: Notebook, loaders: InstructionLoaders, seed: number): void {
  manualSeed(seed);
  nb.print(66, 'Train loader:');
  let last: [Tensor, Tensor] | undefined;
  for (const [inputs, targets] of loaders.train) {
    nb.print(66, torchSize(inputs.shape), torchSize(targets.shape)); // both [8, longest of this batch]
    last = [inputs, targets];
  }
  if (!last) return;
  nb.print(68, last[0].select(0, 0));
  nb.print(70, last[1].select(0, 0));
}
