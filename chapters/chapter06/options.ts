import { activeEngine } from '../../lib/index.ts';
import { type BaseModel, MODEL_NAMES } from '../chapter05/index.ts';
import { countingWith, inGroup, type OptionSpec, type OptionValues } from '../common/options.ts';
import { IS_TRAINED, type SavingOptions, TRAINING_OPTIONS } from '../common/training.ts';
import { keptAt, MESSAGES } from '../datasets/index.ts';
import type { Method } from './05-classification-head.ts';
import type { Schedule } from './07-fine-tuning.ts';
import { OWN_DATA_OPTIONS, type OwnDataOptions } from './own-data.ts';

/** LoRA's, also for what is fine-tuned elsewhere. */
export const LORA_OPTIONS = inGroup('Training', {
  rank: { type: 'number', help: "LoRA's rank", default: 16, min: 1, integer: true },
  alpha: {
    type: 'number',
    help: "LoRA's alpha; the update is scaled by alpha / rank",
    default: 16,
    above: 0,
  },
});

/** For data of which one class has most of the texts, and for trainings that learn their texts by heart. */
export const FAIRNESS_OPTIONS = inGroup('Training', {
  classWeights: {
    type: 'choice',
    help: 'what a text counts in the loss: the same everywhere, or the more the rarer its class, texts / (classes × texts of the class)',
    choices: ['none', 'balanced'],
    default: 'none',
  },
  keep: {
    type: 'choice',
    help: 'which weights come out: those of the last pass, or of the pass after which the loss over the whole validation part is lowest',
    choices: ['last', 'best'],
    default: 'last',
  },
});

const OWN_OPTIONS = {
  ...inGroup('Data', {
    data: {
      type: 'path',
      access: 'read',
      words: ['stand-in'],
      otherwise: keptAt(MESSAGES),
      help: "SMSSpamCollection, a folder that npm run data wrote, 'stand-in', or a table of your own: CSV, TSV, JSON, JSON lines, parquet (default: download, else the stand-in)",
      placeholder: 'PATH',
    },
    maxLength: {
      type: 'number',
      help: 'tokens per message (default: the longest training message)',
      min: 1,
      integer: true,
    },
  }),
  ...inGroup('Model', {
    model: {
      type: 'choice',
      help: 'which model; newer ones are on the hub, under their own licences (chapters/models/README.md)',
      choices: MODEL_NAMES,
      default: 'mini',
    },
    weights: {
      type: 'path',
      access: 'read',
      help: 'a safetensors file with the weights; or a GGUF file or a folder of the hub, of any family that can be read',
      placeholder: 'PATH',
    },
    randomWeights: { type: 'boolean', help: 'start from random weights', excludes: ['weights'] },
    modules: {
      type: 'boolean',
      help: 'print every module of the model, as the book does',
      counts: [{ quiet: [false] }],
    },
  }),
  ...LORA_OPTIONS,
  ...inGroup('Training', {
    lr: { type: 'number', help: "learning rate (default: each method's own)", above: 0, counts: IS_TRAINED },
    epochs: {
      type: 'number',
      help: 'passes over the training part (default: 5 as in the book for GPT-2; for mini 3, or 1 on js; for newer models 2)',
      min: 0,
      integer: true,
    },
    batchSize: { type: 'number', help: 'messages per step', default: 8, min: 1, integer: true },
    seed: {
      type: 'number',
      help: 'of the split and of everything random; 123 is the book',
      default: 42,
      min: 0,
      integer: true,
    },
  }),
  ...countingWith(IS_TRAINED, FAIRNESS_OPTIONS),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for plots and adapters',
      default: 'runs',
      placeholder: 'DIR',
    },
  }),
} as const satisfies Record<string, OptionSpec>;

/** What chapter 6 and appendix E both take. */
export const SPAM_OPTIONS = {
  ...OWN_OPTIONS,
  ...OWN_DATA_OPTIONS,
  ...inGroup('Training', countingWith(IS_TRAINED, TRAINING_OPTIONS)),
};
export type SpamOptions = OptionValues<typeof OWN_OPTIONS> & OwnDataOptions & SavingOptions;

/** What the defaults depend on: `mini`, one of GPT-2's sizes, or a newer model. */
type Size = BaseModel['size'];

/**
 * Learning rates. For GPT-2 the book's own; `mini` is 17 times smaller and needs larger steps (chosen on the
 * validation part). A newer model is trained with LoRA.
 */
const LEARNING_RATES: Record<'mini' | 'gpt2', Record<Method, number>> & Record<'newer', { lora: number }> = {
  mini: { head: 5e-3, 'last-block': 5e-4, lora: 2e-3, full: 5e-4 },
  gpt2: { head: 5e-5, 'last-block': 5e-5, lora: 8e-4, full: 5e-5 },
  newer: { lora: 5e-4 },
};

export function defaultLearningRate(model: Size, method: Method): number {
  if (model === 'newer') return LEARNING_RATES.newer.lora;
  return LEARNING_RATES[model === 'mini' ? 'mini' : 'gpt2'][method];
}

/**
 * The book keeps one learning rate. `mini` and newer models, whose rates are higher, need them to rise first and to fall at
 * the end.
 */
export function defaultSchedule(model: Size): Schedule {
  return model === 'mini' || model === 'newer' ? 'cosine' : 'constant';
}

/**
 * The book's five passes for GPT-2; `mini` has learnt what it can from so few messages after three, and a newer model after
 * two. The readable loops, which need a second for each of mini's steps, take one.
 */
export function defaultEpochs(model: Size, engine = activeEngine()): number {
  if (model === 'newer') return 2;
  if (model !== 'mini') return 5;
  return engine === 'js' ? 1 : 3;
}
