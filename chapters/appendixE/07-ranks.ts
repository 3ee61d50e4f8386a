import { join } from 'node:path';
import { UserError } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import type { BaseModel } from '../chapter05/index.ts';
import {
  calcLossLoader,
  checkRank,
  classifierOf,
  defaultEpochs,
  defaultLearningRate,
  defaultSchedule,
  percent,
  replaceHead,
  type SpamOptions,
  showFineTuning,
  wrapWithLoRA,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotFamilies } from '../common/plot-panels.ts';
import { formatTable } from '../common/table.ts';
import type { Parts } from '../datasets/index.ts';
import type { Data } from './02-preparing-the-dataset.ts';

/** What came out at a rank. */
export interface RankResult {
  rank: number;
  /** How many numbers were trained. */
  trainable: number;
  /** The mean of the last pass's steps, and that of the validation part at the end, in nats. */
  loss: { train: number; valid: number };
  accuracy: Parts<number>;
}

/** `1,4,16` as ranks in their order. @throws UserError unless they are two or more different whole numbers */
export function parseRanks(text: string): number[] {
  const ranks = text.split(',').map(Number);
  const wrong = ranks.some((rank) => !(Number.isInteger(rank) && rank > 0));
  if (!wrong && ranks.length > 1 && new Set(ranks).size === ranks.length) return ranks.sort((a, b) => a - b);
  throw new UserError(`--ranks must be two different ranks or more, such as 1,2,4,8,16, not '${text}'`);
}

/** The same fine-tuning from the same start at each rank; a table, and a picture of loss and accuracy by rank. */
export async function showRanks(
  nb: Notebook,
  { loaders, labels, facts, classWeights }: Data,
  options: SpamOptions,
  { base, ranks }: { base: BaseModel; ranks: readonly number[] },
): Promise<void> {
  const { alpha, seed } = options;
  const print = (line: string) => nb.note(line);
  const results: RankResult[] = [];
  for (const rank of ranks) {
    nb.note(`Rank ${rank}`);
    const model = await base.fresh();
    const classifier = classifierOf(model, base.padTokenId);
    replaceHead(model, seed, labels.length);
    checkRank(model.config.embDim, rank);
    wrapWithLoRA(model, { rank, alpha });
    const own: SpamOptions = { ...options, rank };
    const trainable = countParameters(model, { trainableOnly: true });
    const { history, accuracy } = await showFineTuning(nb, classifier, loaders, {
      method: 'lora',
      lr: options.lr ?? defaultLearningRate(base.size, 'lora'),
      schedule: defaultSchedule(base.size),
      epochs: options.epochs ?? defaultEpochs(base.size),
      ...{ seed, trainable, classWeights, keep: options.keep },
      saving: {
        folder: join(options.out, 'appendixE', `rank-${rank}`),
        ...{ options: own, facts, print },
      },
    });
    const last = history.stepLosses.slice(-loaders.train.length);
    const train = last.reduce((sum, loss) => sum + loss, 0) / last.length;
    results.push({
      rank,
      trainable,
      loss: { train, valid: calcLossLoader(loaders.valid, classifier) },
      accuracy,
    });
  }
  nb.note(rankTable(results));
  nb.figure('ranks', results);
  const picture = join(options.out, 'appendixE', 'ranks.svg');
  await plotRanks(picture, results);
  nb.note(`Picture: ${picture}`);
}

function rankTable(results: readonly RankResult[]): string {
  const rows = results.map(({ rank, trainable, loss, accuracy }) => [
    `${rank}`,
    trainable.toLocaleString('en'),
    ...[loss.train, loss.valid].map((each) => each.toFixed(4)),
    ...[accuracy.train, accuracy.valid, accuracy.test].map(percent),
  ]);
  return formatTable(['rank', 'trainable', 'train loss', 'valid loss', 'train', 'valid', 'test'], rows);
}

/** Two panels over the rank: the losses, and the accuracies. */
export async function plotRanks(path: string, results: readonly RankResult[]): Promise<void> {
  const curve = (name: string, y: (result: RankResult) => number) => ({
    name,
    points: results.map((result) => ({ x: result.rank, y: y(result) })),
  });
  const panels = [
    {
      title: 'Loss',
      y: 'cross-entropy (nats)',
      curves: [curve('training', ({ loss }) => loss.train), curve('validation', ({ loss }) => loss.valid)],
    },
    {
      title: 'Accuracy',
      y: 'accuracy (%)',
      curves: [
        curve('training', ({ accuracy }) => 100 * accuracy.train),
        curve('validation', ({ accuracy }) => 100 * accuracy.valid),
        curve('test', ({ accuracy }) => 100 * accuracy.test),
      ],
    },
  ];
  const labels = { title: 'LoRA at several ranks', x: 'rank', legend: 'part', sameY: false, log2: true };
  await plotFamilies(path, panels, labels);
}
