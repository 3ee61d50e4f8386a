import { inGroup, type OptionSpec, type OptionValues } from '../common/options.ts';
import { type SavingOptions, TRAINING_OPTIONS } from '../common/training.ts';
import { TEXT_OPTION } from '../datasets/index.ts';

const OWN_OPTIONS = {
  ...inGroup('Data', TEXT_OPTION),
  ...inGroup('Training', {
    epochs: { type: 'number', help: 'passes over the text', default: 15, min: 1, integer: true },
    slow: {
      type: 'boolean',
      help: 'train the 124M model, as the book does, and not a small one (half an hour)',
    },
    seed: { type: 'number', help: 'of everything random', default: 123, min: 0, integer: true },
  }),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for plots',
      default: 'runs',
      placeholder: 'DIR',
    },
  }),
} as const satisfies Record<string, OptionSpec>;

export const OPTIONS = { ...OWN_OPTIONS, ...inGroup('Training', TRAINING_OPTIONS) };
export type ScheduleRunOptions = OptionValues<typeof OWN_OPTIONS> & SavingOptions;
