import { join } from 'node:path';
import { io, manualSeed } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import { baseOfLoaded, type NewerModel } from '../chapter05/index.ts';
import {
  checkRank,
  classifierFile,
  classifyCommand,
  classifyReview,
  classNames,
  classWeightsOf,
  describeData,
  EXAMPLES,
  factsOf,
  LlamaClassifier,
  makeDatasets,
  makeLoaders,
  NUM_CLASSES,
  prepareMessages,
  replaceHead,
  type SpamOptions,
  showFineTuning,
  showLoaders,
  showOwnClassifier,
  showResults,
  spamProbability,
  wrapWithLoRA,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';

import { checkRun, type SavingOptions } from '../common/training.ts';
import type { NewerModelName } from '../models/index.ts';
import type { LoadedLlama } from './07-gguf.ts';

/**
 * QLoRA (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314): LoRA beside a model that stays in 4 bits.
 *
 *        x ──┬── W, blocks of 4 bits, decoded where it is multiplied ──┐
 *            └── A ── B, float32, what is trained ─────────────────────+── y
 *
 * Nothing about LoRA changes. W is never written, so it needs no float32; what goes back through it, g W, is a product
 * whose panels are decoded from the same blocks.
 */

export interface FineTuneOptions extends SavingOptions, Pick<SpamOptions, 'classWeights' | 'keep'> {
  model?: NewerModelName;
  weights: string | undefined;
  data?: string;
  epochs: number;
  batchSize: number;
  rank: number;
  alpha: number;
  lr: number;
  seed: number;
  out: string;
}

/** Freezes the model, gives it a head of two or more classes (Llama's have no bias), and puts LoRA beside every Linear of its blocks. */
export function makeClassifier(
  model: NewerModel,
  { rank, alpha, seed }: Pick<FineTuneOptions, 'rank' | 'alpha' | 'seed'>,
  classes = NUM_CLASSES,
): void {
  replaceHead(model, seed, classes);
  wrapWithLoRA(model, { rank, alpha });
}

/** Chapter 6's classifier of messages from a Llama, with chapter 6's own functions; the adapter is in PEFT's format. */
export async function showFineTuned(
  nb: Notebook,
  loaded: LoadedLlama,
  options: FineTuneOptions,
): Promise<void> {
  const base = baseOfLoaded({ model: options.model ?? 'mini', weights: options.weights }, loaded);
  const { tokeniser, padTokenId } = base;
  const model = await base.fresh();
  const print = (line: string) => nb.note(line);
  const folder = join(options.out, 'llama');
  const { contextLength, embDim } = model.config;
  checkRank(embDim, options.rank);
  const prepared = await prepareMessages({ data: options.data, seed: options.seed, contextLength, print });
  const labels = classNames(prepared);
  const classes = labels.length;
  nb.figure('data', { ...describeData(prepared), seed: options.seed });
  nb.note(`Messages: ${prepared.source}`);
  for (const line of prepared.notes ?? []) nb.result(line);

  const datasets = makeDatasets(prepared.parts, base, undefined, classes);
  const { maxLength } = datasets.train;
  const like = { tokeniser, padTokenId, maxLength };
  manualSeed(options.seed); // for the order of the training messages
  const loaders = makeLoaders(datasets, options.batchSize);
  showLoaders(nb, loaders, [35, 36]);
  const classWeights = classWeightsOf(options.classWeights, prepared.parts.train, labels);
  const facts = await factsOf(prepared, options.weights);
  const saving = { folder: join(folder, 'lora'), options, facts, print };
  await checkRun({ ...saving, totalSteps: options.epochs * loaders.train.length });

  makeClassifier(model, options, classes);
  const classifier = new LlamaClassifier(model, padTokenId);
  const trainable = countParameters(model, { trainableOnly: true });
  const all = countParameters(model).toLocaleString('en');
  nb.note(`${trainable.toLocaleString('en')} of ${all} parameters are trained, in ${options.epochs} passes`);
  const result = await showFineTuning(nb, classifier, loaders, {
    method: 'lora',
    lr: options.lr,
    schedule: 'cosine',
    epochs: options.epochs,
    ...{ seed: options.seed, classWeights, keep: options.keep },
    trainable,
    saving,
  });
  showResults(nb, [result], prepared);

  const adapter = join(folder, 'adapter');
  const beside = classifierFile({
    labels,
    maxLength,
    padTokenId,
    synthetic: prepared.synthetic,
  });
  await io.saveAdapter(adapter, model, { baseModel: base.hub, beside });
  nb.result(`Adapter saved to ${adapter}, in PEFT's format`);
  nb.result(`To use it again:  ${classifyCommand(adapter, options)}`);

  if (prepared.labels) return showOwnClassifier(nb, result, prepared, like);
  for (const text of Object.values(EXAMPLES)) {
    const probability = (100 * spamProbability(text, classifier, like)).toFixed(1);
    nb.note(`“${text}”`);
    nb.note(`${classifyReview(text, classifier, like)} (spam with a probability of ${probability}%)`);
  }
}
