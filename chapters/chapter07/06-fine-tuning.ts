import { manualSeed, nn, noGrad, optim } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import {
  calcLossBatch,
  calcLossLoader,
  calcLossWithoutPadding,
  emptyLossHistory,
  type LossHistory,
  type LossOfBatch,
  type ModelName,
  tokeniser,
  trainModelSteps,
} from '../chapter05/index.ts';
import { checkRank, wrapBlocksWithLoRA } from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { formatTable } from '../common/table.ts';
import { runToEnd, type TrainingPlace } from '../common/training.ts';
import { isGpt, type LanguageModel } from '../models/index.ts';
import type { InstructionLoaders } from './04-data-loaders.ts';

/** Which numbers are trained: all of the model's, or those of a LoRA update beside each of its Linears. */
export type InstructionMethod = 'full' | 'lora';

export interface InstructionTuningOptions {
  method: InstructionMethod;
  lr: number;
  epochs: number;
  rank: number;
  alpha: number;
  seed: number;
  /** Steps between two looks at the losses, each over 5 batches. */
  evalFreq: number;
  /** Continued after each epoch, to see what has been learnt. */
  startContext: string;
  print?: (line: string) => void;
}

/** Learning rates: the book's for GPT-2; `mini`, much smaller, needs larger steps. Newer models have LoRA alone. */
const LEARNING_RATES: Record<'mini' | 'gpt2' | 'newer', Record<InstructionMethod, number>> = {
  mini: { full: 5e-4, lora: 3e-3 },
  gpt2: { full: 5e-5, lora: 8e-4 },
  newer: { full: 5e-5, lora: 5e-4 },
};

export function defaultLearningRate(model: ModelName | 'newer', method: InstructionMethod): number {
  return LEARNING_RATES[model === 'mini' || model === 'newer' ? model : 'gpt2'][method];
}

/**
 * Makes a model ready for a method: for LoRA everything is frozen and every Linear wrapped, the head for 50,257
 * tokens included. The head of a newer model, which may have five times as many tokens, is left alone.
 * @returns how many numbers will be trained
 */
export function prepareModel(model: LanguageModel, method: InstructionMethod, lora: nn.LoRAOptions): number {
  model.requiresGrad_(method === 'full');
  if (method === 'lora') {
    checkRank(model.config.embDim, lora.rank);
    if (isGpt(model)) nn.replaceLinearWithLoRA(model, lora);
    else wrapBlocksWithLoRA(model, lora);
  }
  return countParameters(model, { trainableOnly: true });
}

/** Chapter 5's loss; of a newer model without what is padding, which changes nothing. */
export function lossOf(model: LanguageModel): LossOfBatch {
  return isGpt(model) ? calcLossBatch : calcLossWithoutPadding;
}

/**
 * The training of a prepared model: its optimiser, and its steps. The loop and the loss are those of chapter 5's
 * pretraining: an instruction with its answer is a text like any other. What is new lies in the data.
 */
export function instructionTraining(
  model: LanguageModel,
  loaders: InstructionLoaders,
  options: InstructionTuningOptions,
) {
  const { epochs, evalFreq, startContext, print } = options;
  manualSeed(options.seed);
  const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
  const optimizer = new optim.AdamW(trained, { lr: options.lr, weightDecay: 0.1 });
  const settings = {
    ...{ numEpochs: epochs, evalFreq, evalIter: 5, startContext, tokeniser, print },
    lossOfBatch: lossOf(model),
    // The answers of a newer model are shown at the end, beside those from before.
    sampleFrom: isGpt(model) ? 1 : Number.POSITIVE_INFINITY,
  };
  return {
    label: options.method,
    model,
    optimizer,
    totalSteps: epochs * loaders.train.length,
    history: emptyLossHistory(),
    steps: (place?: TrainingPlace<LossHistory>) =>
      trainModelSteps(model, loaders.train, loaders.valid, optimizer, settings, place),
  };
}

/** Fine-tunes a prepared model, from the first step to the last. */
export function fineTuneOnInstructions(
  model: LanguageModel,
  loaders: InstructionLoaders,
  options: InstructionTuningOptions,
): LossHistory {
  return runToEnd(instructionTraining(model, loaders, options).steps());
}

/** Both losses over the epochs, as an SVG file. */
export async function plotLosses(
  path: string,
  history: LossHistory,
  {
    method,
    epochs,
    stepsPerEpoch,
    evalFreq,
    batchSize,
    subtitle,
  }: {
    method: string;
    epochs: number;
    stepsPerEpoch: number;
    evalFreq: number;
    batchSize: number;
    subtitle: string;
  },
): Promise<void> {
  const curve = (name: string, values: readonly number[]) => ({
    name,
    points: values.map((y, i) => ({ x: (i * evalFreq + 1) / stepsPerEpoch, y })),
  });
  await plotCurves(path, [curve('training', history.trainLosses), curve('validation', history.valLosses)], {
    title: `Instruction fine-tuning: ${method}`,
    subtitle,
    x: 'epochs',
    y: 'loss',
    epochs: { count: epochs, seen: epochs * stepsPerEpoch * batchSize, unit: 'examples' },
  });
}

export interface MethodResult {
  method: InstructionMethod;
  trainable: number;
  trainLoss: number;
  valLoss: number;
  seconds: number;
}

/** The losses over five batches of each part. */
export function lossesNow(
  model: LanguageModel,
  loaders: InstructionLoaders,
): Record<'train' | 'valid', number> {
  const [train, valid] = noGrad(() =>
    [loaders.train, loaders.valid].map((loader) => calcLossLoader(loader, model.eval(), 5, lossOf(model))),
  );
  return { train, valid };
}

/** The losses before anything is trained. */
export function showLosses(
  nb: Notebook,
  model: LanguageModel,
  loaders: InstructionLoaders,
  seed: number,
): void {
  manualSeed(seed);
  const { train, valid } = lossesNow(model, loaders);
  nb.print(86, 'Training loss:', train);
  nb.print(86, 'Validation loss:', valid);
}

/** The table of the methods. */
export function showResults(nb: Notebook, results: readonly MethodResult[]): void {
  nb.result(
    formatTable(
      ['method', 'trainable', 'train loss', 'valid loss', 'seconds'],
      results.map((r) => [
        r.method,
        r.trainable.toLocaleString('en'),
        r.trainLoss.toFixed(3),
        r.valLoss.toFixed(3),
        r.seconds.toFixed(1),
      ]),
    ),
  );
  nb.figure('results', results);
}
