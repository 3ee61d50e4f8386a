import { MODEL_NAMES } from '../chapter05/index.ts';
import { LORA_OPTIONS } from '../chapter06/index.ts';
import { countingWith, inGroup, type OptionSpec, type OptionValues } from '../common/options.ts';
import { IS_TRAINED, type SavingOptions, TRAINING_OPTIONS } from '../common/training.ts';
import { INSTRUCTIONS, keptAt } from '../datasets/index.ts';
import { NEWER_MODELS } from '../models/index.ts';

/** The default method of newer models is LoRA, and what weights are of is not known yet. */
const IS_LORA = [{ method: ['lora', 'all'] }, { model: NEWER_MODELS }, { weights: 'given' }] as const;

const OWN_OPTIONS = {
  ...inGroup('Data', {
    data: {
      type: 'path',
      access: 'read',
      help: "a local copy of instruction-data.json, or 'own' (default: download, else our own instructions)",
      placeholder: 'PATH',
      words: ['own'],
      otherwise: keptAt(INSTRUCTIONS),
    },
  }),
  ...inGroup('Model', {
    model: {
      type: 'choice',
      help: 'which model; the book has gpt2-medium; newer ones are on the hub, under their own licences (chapters/models/README.md)',
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
  }),
  ...inGroup('Training', {
    method: {
      type: 'choice',
      help: 'what to train: the whole model, LoRA, or one after the other (default: full; newer models: lora)',
      choices: ['full', 'lora', 'all'],
    },
    ...countingWith(IS_LORA, LORA_OPTIONS),
    lr: { type: 'number', help: "learning rate (default: each method's own)", above: 0, counts: IS_TRAINED },
    epochs: {
      type: 'number',
      help: 'passes over the training part (default: 2 as in the book; 1 for mini)',
      min: 0,
      integer: true,
    },
    batchSize: { type: 'number', help: 'examples per step', default: 8, min: 1, integer: true },
    evalFreq: {
      type: 'number',
      help: 'steps between two measurements of the losses (default: 5 as in the book; for mini six per pass, for newer models three)',
      min: 1,
      integer: true,
      counts: IS_TRAINED,
    },
    slow: {
      type: 'boolean',
      help: 'all test examples, measurements and answer lengths of the book, as the larger models have them',
      counts: [{ model: ['mini', ...NEWER_MODELS] }],
    },
    seed: { type: 'number', help: 'of everything random', default: 123, min: 0, integer: true },
  }),
  ...inGroup('Answers', {
    maxNewTokens: {
      type: 'number',
      help: 'most tokens of an answer (default: 256 as in the book; 32 for mini, 64 for newer models)',
      min: 1,
      integer: true,
    },
    answers: {
      type: 'number',
      help: 'test examples to answer (default: all; 30 for mini; 20 for newer models, before and after)',
      min: 3,
      integer: true,
    },
  }),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for plots, answers and weights',
      default: 'runs',
      placeholder: 'DIR',
    },
  }),
} as const satisfies Record<string, OptionSpec>;

export const OPTIONS = { ...OWN_OPTIONS, ...inGroup('Training', countingWith(IS_TRAINED, TRAINING_OPTIONS)) };
export type InstructionRunOptions = OptionValues<typeof OWN_OPTIONS> & SavingOptions;

/** What mini does less of, so that a run takes a minute or two, and a newer model, so that it takes half an hour. */
export function effort(options: InstructionRunOptions, stepsPerEpoch: number, isNewer = false) {
  const isMini = options.model === 'mini' && !isNewer;
  const short = (isMini || isNewer) && !options.slow;
  return {
    epochs: options.epochs ?? (short && isMini ? 1 : 2),
    // Few looks, however few the steps.
    evalFreq: options.evalFreq ?? (short ? Math.ceil(stepsPerEpoch / (isMini ? 6 : 3)) : 5),
    maxNewTokens: options.maxNewTokens ?? (short ? (isMini ? 32 : 64) : 256),
    answers: options.answers ?? (short ? (isMini ? 30 : 20) : Number.POSITIVE_INFINITY),
  };
}
