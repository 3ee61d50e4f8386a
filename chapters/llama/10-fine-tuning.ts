import { join } from 'node:path';
import { io, manualSeed, nn, type Tensor, tensor } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
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
  makeLoaders,
  NUM_CLASSES,
  prepareMessages,
  SpamDataset,
  type SpamOptions,
  showFineTuning,
  showLoaders,
  showOwnClassifier,
  showResults,
  spamProbability,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';

import { checkRun, type SavingOptions } from '../common/training.ts';
import { HUB_REPOSITORY, type LoadedLlama } from './07-gguf.ts';

import type { LlamaModel } from './model/05-llama-model.ts';
import { HUB_LINEARS } from './model/hub-layout.ts';

/**
 * QLoRA (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314): LoRA beside a model that stays in 4 bits.
 *
 *        x ──┬── W, blocks of 4 bits, decoded where it is multiplied ──┐
 *            └── A ── B, float32, what is trained ─────────────────────+── y
 *
 * Nothing about LoRA changes. W is never written, so it needs no float32; what goes back through it, g W, is a product
 * whose panels are decoded from the same blocks.
 */

/** The Linears of a block that LoRA is put beside: all of them. */
export const LORA_TARGETS = Object.keys(HUB_LINEARS).map((path) => path.replace(/^.*\./, ''));

/** `<|endoftext|>`, what shorter messages are padded with. */
const PAD = '<|endoftext|>';

export interface FineTuneOptions extends SavingOptions, Pick<SpamOptions, 'classWeights' | 'keep'> {
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
  model: LlamaModel,
  { rank, alpha, seed }: Pick<FineTuneOptions, 'rank' | 'alpha' | 'seed'>,
  classes = NUM_CLASSES,
): void {
  manualSeed(seed);
  model.requiresGrad_(false);
  model.outHead = new nn.Linear(model.config.embDim, classes, { bias: false });
  nn.replaceLinearWithLoRA(model, { rank, alpha, init: 'peft', targets: LORA_TARGETS });
}

/**
 * A Llama that classifies as transformers' LlamaForSequenceClassification does: the head reads the last token of the text,
 * where chapter 6 reads the last position, padding or not. A token sees only what is left of it, so padding changes nothing,
 * and none of it is computed: the texts of a batch go through the model one behind another. Of a batch of 8 text messages
 * padded to the longest, that leaves out half.
 */
export class LlamaClassifier extends nn.Module {
  model: LlamaModel;
  readonly padTokenId: number;

  constructor(model: LlamaModel, padTokenId: number) {
    super();
    this.model = model;
    this.padTokenId = padTokenId;
  }

  /** Token ids [b, t], padded on the right → logits [b, 1, classes]. */
  forward(ids: Tensor): Tensor {
    const texts = (ids.toArray() as number[][]).map((row) => withoutPadding(row, this.padTokenId));
    const lengths = texts.map((text) => text.length);
    const joined = tensor([texts.flat()], { dtype: 'int32' }); // [1, Σ lengths]
    const hidden = this.model.hiddenOfTexts(joined, lengths).squeeze(0); // [Σ lengths, d]
    const ends: number[] = [];
    for (const length of lengths) ends.push((ends.at(-1) ?? -1) + length);
    const last = hidden.indexSelect(0, ends); // [b, d]
    return this.model.outHead.forward(last.unsqueeze(1)); // [b, 1, d] → [b, 1, classes]
  }
}

/** The tokens up to the last one that is text; at least one, since the head has to read something. */
function withoutPadding(row: readonly number[], padTokenId: number): number[] {
  return row.slice(0, Math.max(1, row.findLastIndex((id) => id !== padTokenId) + 1));
}

/** Chapter 6's classifier of messages from a Llama, with chapter 6's own functions; the adapter is in PEFT's format. */
export async function showFineTuned(
  nb: Notebook,
  loaded: LoadedLlama,
  options: FineTuneOptions,
): Promise<void> {
  const { model, tokeniser } = loaded;
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

  const padTokenId = tokeniser.special.get(PAD) ?? loaded.endIds[0] ?? 0;
  const train = new SpamDataset(prepared.parts.train, { tokeniser, padTokenId, classes });
  const { maxLength } = train;
  const like = { tokeniser, padTokenId, maxLength, classes };
  const datasets = {
    train,
    valid: new SpamDataset(prepared.parts.valid, like),
    test: new SpamDataset(prepared.parts.test, like),
  };
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
  await io.saveAdapter(adapter, model, { baseModel: HUB_REPOSITORY, beside });
  nb.result(`Adapter saved to ${adapter}, in PEFT's format`);
  nb.result(`To use it again:  ${classifyCommand(adapter, options)}`);

  if (prepared.labels) return showOwnClassifier(nb, result, prepared, like);
  for (const text of Object.values(EXAMPLES)) {
    const probability = (100 * spamProbability(text, classifier, like)).toFixed(1);
    nb.note(`“${text}”`);
    nb.note(`${classifyReview(text, classifier, like)} (spam with a probability of ${probability}%)`);
  }
}
