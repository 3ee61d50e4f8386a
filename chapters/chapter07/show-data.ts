import { F, manualSeed, type Tensor, tensor } from '../../lib/index.ts';
import { END_OF_TEXT } from '../chapter02/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatInput, formatResponse } from './01-formatting.ts';
import { type InstructionParts, splitEntries } from './02-dataset.ts';
import { customCollate, customCollateDraft1, customCollateDraft2 } from './03-collate.ts';
import type { InstructionLoaders } from './04-loaders.ts';

/** Two examples of the data, with and without an input, and how many there are for what. */
export function showData(nb: Notebook, entries: readonly InstructionEntry[]): InstructionParts {
  nb.print(10, 'Number of entries:', entries.length);
  // The book's two examples; of a shorter file, the last entry.
  const [withInput, without] = [entries[50 % entries.length], entries[Math.min(999, entries.length - 1)]];
  nb.print(12, `Example entry:\n ${repr(withInput)}`);
  nb.print(14, `Another example entry:\n ${repr(without)}`);
  nb.print(20, formatInput(withInput) + formatResponse(withInput));
  nb.print(22, formatInput(without) + formatResponse(without));
  const parts = splitEntries(entries);
  nb.print(25, 'Training set length:', parts.train.length);
  nb.print(25, 'Validation set length:', parts.valid.length);
  nb.print(25, 'Test set length:', parts.test.length);
  return parts;
}

/** The batches of section 7.3, from the first draft to the last, and what they do to the loss. */
export function showCollate(nb: Notebook): void {
  nb.print(32, `[${tokeniser.encode(END_OF_TEXT, { allowedSpecial: [END_OF_TEXT] })}]`);
  const examples = [
    [0, 1, 2, 3, 4],
    [5, 6],
    [7, 8, 9],
  ];
  nb.print(36, customCollateDraft1(examples)); // [3, 5]
  for (const part of customCollateDraft2(examples)) nb.print(41, part); // inputs, targets: [3, 5]
  for (const part of customCollate(examples)) nb.print(46, part);

  // What −100 does to the loss: the third row counts in the second loss, and not in the third.
  const two = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
  ]);
  const three = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
    [-0.5, 1.5],
  ]);
  const loss1 = F.crossEntropy(two, tensor([0, 1], { dtype: 'int32' }));
  const loss2 = F.crossEntropy(three, tensor([0, 1, 1], { dtype: 'int32' }));
  const loss3 = F.crossEntropy(three, tensor([0, 1, -100], { dtype: 'int32' }));
  nb.print(48, loss1);
  nb.print(50, loss2);
  nb.print(52, loss3);
  nb.print(52, 'loss_1 == loss_3:', loss1.eq(loss3));
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
