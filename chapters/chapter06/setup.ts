import { UserError } from '../../lib/index.ts';
import { MODEL_NAMES, modelConfig } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { torchSize } from '../common/notebook.ts';
import type { OptionSpec, OptionValues } from '../common/options.ts';
import { SpamDataset } from './01-dataset.ts';
import { type PreparedMessages, prepareMessages } from './02-preparing-the-dataset.ts';
import { type Loaders, makeLoaders, type Parts } from './fine-tune.ts';

/** What chapter 6 and appendix E both take. */
export const SPAM_OPTIONS = {
  data: {
    type: 'path',
    access: 'read',
    help: 'a local copy of SMSSpamCollection (default: download, else a stand-in)',
    placeholder: 'PATH',
    words: ['stand-in'],
  },
  maxLength: {
    type: 'number',
    help: 'tokens per message (default: the longest training message)',
    min: 1,
    integer: true,
  },
  model: { type: 'choice', help: 'which model', choices: MODEL_NAMES, default: 'mini' },
  weights: { type: 'path', access: 'read', help: 'a safetensors file with the weights', placeholder: 'PATH' },
  randomWeights: { type: 'boolean', help: 'start from random weights', excludes: ['weights'] },
  rank: { type: 'number', help: "LoRA's rank", default: 16, min: 1, integer: true },
  alpha: { type: 'number', help: "LoRA's alpha; the update is scaled by alpha / rank", default: 16 },
  lr: { type: 'number', help: "learning rate (default: each method's own)", min: 0 },
  epochs: {
    type: 'number',
    help: 'passes over the training part (default: 5 as in the book for GPT-2; for mini 3, or 1 on js)',
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
  out: {
    type: 'path',
    access: 'writeFolder',
    help: 'folder for plots and adapters',
    default: 'runs',
    placeholder: 'DIR',
  },
} as const satisfies Record<string, OptionSpec>;

export type SpamOptions = OptionValues<typeof SPAM_OPTIONS>;

/**
 * The three parts as datasets, each cut and filled to the length of the longest training message.
 * @throws UserError if the longest message is longer than what the model can see
 */
export async function loadDatasets(
  options: SpamOptions,
  nb: Notebook,
): Promise<Parts<SpamDataset> & { prepared: PreparedMessages }> {
  const prepared = await prepareMessages({
    data: options.data,
    seed: options.seed,
    print: (line) => nb.note(line),
  });
  nb.note(`Messages: ${prepared.source}`);
  nb.figure('data', { source: prepared.source, synthetic: prepared.synthetic, seed: options.seed });
  const train = new SpamDataset(prepared.parts.train, { maxLength: options.maxLength });
  const { contextLength } = modelConfig(options.model);
  if (train.maxLength > contextLength) {
    throw new UserError(
      `the longest message has ${train.maxLength} tokens, but ${options.model} sees at most ${contextLength}: ` +
        `cut them with --max-length ${contextLength}`,
    );
  }
  const { maxLength } = train;
  const valid = new SpamDataset(prepared.parts.valid, { maxLength });
  const test = new SpamDataset(prepared.parts.test, { maxLength });
  return { train, valid, test, prepared };
}

/** The loaders, and what the notebook prints about them: the last batch's shapes and the batch counts. */
export function showLoaders(
  nb: Notebook,
  datasets: Parts<SpamDataset>,
  batchSize: number,
  cells: [number, number],
): Loaders {
  const loaders = makeLoaders(datasets, batchSize);
  nb.print(cells[0], 'Train loader:');
  let shapes: [readonly number[], readonly number[]] = [[], []];
  for (const [inputs, labels] of loaders.train) shapes = [inputs.shape, labels.shape];
  nb.print(cells[0], `Input batch dimensions: ${torchSize(shapes[0])}`);
  nb.print(cells[0], `Label batch dimensions ${torchSize(shapes[1])}`);
  nb.print(cells[1], `${loaders.train.length} training batches`);
  nb.print(cells[1], `${loaders.valid.length} validation batches`);
  nb.print(cells[1], `${loaders.test.length} test batches`);
  nb.figure('inputShape', shapes[0]);
  nb.figure('labelShape', shapes[1]);
  nb.figure('batches', {
    train: loaders.train.length,
    valid: loaders.valid.length,
    test: loaders.test.length,
  });
  return loaders;
}
