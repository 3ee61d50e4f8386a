import { join } from 'node:path';
import { manualSeed, type nn } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import type { BaseModel } from '../chapter05/index.ts';
import {
  type Batches,
  calcAccuracies,
  checkRank,
  defaultEpochs,
  defaultLearningRate,
  defaultSchedule,
  type FineTuningHistory,
  printAccuracies,
  type SpamOptions,
  showFineTuning,
  wrapWithLoRA,
} from '../chapter06/index.ts';
import { showModules } from '../common/module-tree.ts';
import type { Notebook } from '../common/notebook.ts';
import type { Parts } from '../datasets/index.ts';
import type { LanguageModel } from '../models/index.ts';
import type { Data } from './02-preparing-the-dataset.ts';

/** Freezes the model, wraps every Linear, and prints what is trainable before, between and after, and the modules. */
export function freezeAndWrap(
  nb: Notebook,
  model: LanguageModel,
  { modules, ...options }: nn.LoRAOptions & { modules?: boolean },
): void {
  checkRank(model.config.embDim, options.rank);
  const trainable = () => countParameters(model, { trainableOnly: true });
  const before = trainable();
  nb.print(37, `Total trainable parameters before: ${before.toLocaleString('en')}`);
  model.requiresGrad_(false);
  const frozen = trainable();
  nb.print(37, `Total trainable parameters after: ${frozen.toLocaleString('en')}`);

  wrapWithLoRA(model, options);
  const lora = trainable();
  nb.print(38, `Total trainable LoRA parameters: ${lora.toLocaleString('en')}`);
  nb.note(`(${((100 * lora) / countParameters(model)).toFixed(2)}% of all)`);
  showModules(nb, 40, model, modules);
  nb.figure('trainable', { before, frozen, lora });
}

/** The accuracies after wrapping: B is zero, so they are those from before, to the last digit. */
export async function showWrapped(
  nb: Notebook,
  model: nn.Module,
  loaders: Parts<Batches>,
  seed: number,
): Promise<void> {
  manualSeed(seed);
  const wrapped = await calcAccuracies(loaders, model, 10);
  printAccuracies(nb, 42, wrapped);
  nb.figure('accuracyWrapped', wrapped);
}

/** Chapter 6's loop, in which only A and B have a gradient; then the accuracies over everything. */
export async function showTraining(
  nb: Notebook,
  model: nn.Module,
  loaders: Parts<Batches>,
  options: SpamOptions,
  { facts, classWeights, size }: Pick<Data, 'facts' | 'classWeights'> & Pick<BaseModel, 'size'>,
): Promise<FineTuningHistory> {
  const { history, accuracy } = await showFineTuning(nb, model, loaders, {
    method: 'lora',
    lr: options.lr ?? defaultLearningRate(size, 'lora'),
    schedule: defaultSchedule(size),
    epochs: options.epochs ?? defaultEpochs(size),
    ...{ seed: options.seed, classWeights, keep: options.keep },
    trainable: countParameters(model, { trainableOnly: true }),
    cell: 44,
    saving: {
      folder: join(options.out, 'appendixE'),
      ...{ options, facts, print: (line) => nb.note(line) },
    },
  });
  printAccuracies(nb, 49, accuracy);
  nb.figure('history', history);
  nb.figure('accuracy', accuracy);
  return history;
}
