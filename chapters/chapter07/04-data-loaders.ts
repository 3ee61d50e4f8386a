import { DataLoader, type Dataset, manualSeed, type Tensor, UserError } from '../../lib/index.ts';
import type { BaseModel, Batches } from '../chapter05/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import type { InstructionParts } from './02-preparing-the-dataset.ts';
import { AnswerDataset, collateAnswers, customCollate, InstructionDataset } from './03-batches.ts';

export interface InstructionLoaders {
  train: Batches;
  valid: Batches;
  test: Batches;
}

/** Batches of inputs and targets [b, t], t being the longest example of the batch but at most `maxLength`. */
export function makeInstructionLoaders(
  parts: InstructionParts,
  options: { batchSize: number; maxLength: number },
): InstructionLoaders {
  const collate = (examples: number[][]) => customCollate(examples, { allowedMaxLength: options.maxLength });
  return loadersOf(parts, (entries) => new InstructionDataset(entries), { ...options, collate });
}

/**
 * The same for a newer model, in its own tokens, of which the answers alone are learnt.
 * @throws UserError if no token of the model ends a text, or an example's prompt leaves no room for an answer
 */
export function makeAnswerLoaders(
  parts: InstructionParts,
  base: Pick<BaseModel, 'name' | 'tokeniser' | 'endIds' | 'contextLength'>,
  batchSize: number,
): InstructionLoaders {
  const [padTokenId] = base.endIds;
  if (padTokenId === undefined)
    throw new UserError(`${base.name} does not say which token ends a text, so it cannot learn to stop`);
  const datasetOf = (entries: InstructionEntry[]) => {
    const dataset = new AnswerDataset(entries, base.tokeniser);
    for (let i = 0; i < dataset.length; i++) {
      const { length } = dataset.get(i).prompt;
      if (length > base.contextLength)
        throw new UserError(
          `the instruction “${entries[i].instruction.slice(0, 40)}” has ${length} tokens with its form, and ${base.name} sees at most ${base.contextLength}: shorten it`,
        );
    }
    return dataset;
  };
  return loadersOf(parts, datasetOf, {
    batchSize,
    collate: (examples) => collateAnswers(examples, { padTokenId, allowedMaxLength: base.contextLength }),
  });
}

function loadersOf<Example>(
  parts: InstructionParts,
  datasetOf: (entries: InstructionEntry[]) => Dataset<Example>,
  { batchSize, collate }: { batchSize: number; collate: (examples: Example[]) => [Tensor, Tensor] },
): InstructionLoaders {
  return {
    train: new DataLoader(datasetOf(parts.train), { batchSize, collate, shuffle: true, dropLast: true }),
    valid: new DataLoader(datasetOf(parts.valid), { batchSize, collate }),
    test: new DataLoader(datasetOf(parts.test), { batchSize, collate }),
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
