import { manualSeed, type Tensor } from '../../lib/index.ts';
import type { BaseModel } from '../chapter05/index.ts';
import {
  type Batches,
  classNames,
  classWeightsOf,
  factsOf,
  makeDatasets,
  makeLoaders,
  prepareMessages,
  type SpamDataset,
  type SpamOptions,
  showLoaders,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { Parts } from '../datasets/index.ts';

export interface Data {
  /** Which messages they are. */
  source: string;
  /** What a training on them depends on. */
  facts: Record<string, string | undefined>;
  /** Are they the synthetic stand-in? */
  synthetic: boolean;
  /** The names of the classes. */
  labels: readonly string[];
  /** What each class counts in the loss [classes], with `--class-weights balanced`. */
  classWeights?: Tensor;
  datasets: Parts<SpamDataset>;
  loaders: Parts<Batches>;
}

/** Chapter 6's messages as datasets and loaders: batches [8, 109] of ids and [8] of labels. */
export async function showDataset(nb: Notebook, options: SpamOptions, base: BaseModel): Promise<Data> {
  const { seed } = options;
  const { contextLength } = base;
  const print = (line: string) => nb.note(line);
  const prepared = await prepareMessages({ ...options, contextLength, print });
  nb.note(`Messages: ${prepared.source}`);
  for (const line of prepared.found ?? []) nb.note(line);
  nb.figure('data', { source: prepared.source, synthetic: prepared.synthetic, seed });

  const length = options.maxLength ?? prepared.maxLength;
  const labels = classNames(prepared);
  const datasets = makeDatasets(prepared.parts, base, length, labels.length);
  manualSeed(seed); // for the order of the training messages
  const loaders = makeLoaders(datasets, options.batchSize);
  showLoaders(nb, loaders, [14, 16]);
  const facts = await factsOf(prepared, options.weights);
  const classWeights = classWeightsOf(options.classWeights, prepared.parts.train, labels);
  return {
    ...{ source: prepared.source, facts, synthetic: prepared.synthetic },
    ...{ labels, classWeights, datasets, loaders },
  };
}
