import { DataLoader, type Tensor } from '../../lib/index.ts';
import { InstructionDataset, type InstructionParts } from './02-dataset.ts';
import { customCollate } from './03-collate.ts';

export type InstructionLoader = DataLoader<number[], [Tensor, Tensor]>;

export interface InstructionLoaders {
  train: InstructionLoader;
  valid: InstructionLoader;
  test: InstructionLoader;
}

/** Batches of inputs and targets [b, t], t being the longest example of the batch but at most `maxLength`. */
export function makeInstructionLoaders(
  parts: InstructionParts,
  options: { batchSize: number; maxLength: number },
): InstructionLoaders {
  const { batchSize } = options;
  const collate = (examples: number[][]) => customCollate(examples, { allowedMaxLength: options.maxLength });
  return {
    train: new DataLoader(new InstructionDataset(parts.train), {
      batchSize,
      collate,
      shuffle: true,
      dropLast: true,
    }),
    valid: new DataLoader(new InstructionDataset(parts.valid), { batchSize, collate }),
    test: new DataLoader(new InstructionDataset(parts.test), { batchSize, collate }),
  };
}
