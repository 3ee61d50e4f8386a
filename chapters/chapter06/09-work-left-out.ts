/**
 * Two things that need not be computed to fine-tune this classifier. Leaving them out changes no result (the tests
 * compare with the plain computation), and makes the book's method several times as fast.
 *
 * 1. Only the last position's logits are used (`lastPositionOnly` of section 6). In the last block no other position needs
 *    a query, an output projection or a feed-forward pass: only keys and values, for the last one to look at.
 * 2. Frozen blocks in front of the first trainable one give the same numbers for the same message in every
 *    epoch (dropout is 0), so they are computed once per message. That holds for the book's method, where only
 *    the last block is trained, but not for LoRA, which changes every block.
 */

import {
  Dataset,
  manualSeed,
  type nn,
  noGrad,
  optim,
  stack,
  type Tensor,
  yieldToRuntime,
} from '../../lib/index.ts';
import type { GPTModel, TransformerBlock } from '../chapter04/index.ts';
import { largest } from '../common/largest.ts';
import type { Notebook } from '../common/notebook.ts';
import { Progress } from '../common/progress.ts';
import type { Parts } from '../datasets/index.ts';
import { type Batches, makeLoaders } from './03-data-loaders.ts';
import { type ClassLogits, calcLossBatch, lastPositionOnly } from './06-loss-and-accuracy.ts';
import { cosineRate, type FineTuneSettings, trainedParameters, WEIGHT_DECAY } from './07-fine-tuning.ts';

/** How many blocks, from the first on, are frozen together with all that lies before them. */
export function frozenBlocks(model: GPTModel): number {
  const frozen = (module: nn.Module) => module.parameters().every((parameter) => !parameter.requiresGrad);
  if (!frozen(model.tokEmb) || !frozen(model.posEmb)) return 0;
  const blocks = [...model.trfBlocks];
  const firstTrainable = blocks.findIndex((block) => !frozen(block));
  return firstTrainable === -1 ? blocks.length : firstTrainable;
}

/**
 * A dataset of messages that has, in place of their ids [t], what the first `count` blocks make of them [t, d]. It is
 * computed when it is first asked for, for a whole batch of neighbours, and kept.
 */
export class CachedPrefix extends Dataset<[Tensor, Tensor]> {
  private readonly model: GPTModel;
  private readonly messages: Dataset<[Tensor, Tensor]>;
  private readonly blocks: TransformerBlock[];
  private readonly batchSize: number;
  private readonly examples: [Tensor, Tensor][] = [];

  constructor(model: GPTModel, messages: Dataset<[Tensor, Tensor]>, count: number, batchSize = 8) {
    super();
    this.model = model;
    this.messages = messages;
    this.batchSize = batchSize;
    this.blocks = [...model.trfBlocks].slice(0, count);
  }

  get length(): number {
    return this.messages.length;
  }

  get(position: number): [Tensor, Tensor] {
    if (!this.examples[position]) this.compute(position - (position % this.batchSize));
    return this.examples[position];
  }

  private compute(start: number): void {
    const size = Math.min(this.batchSize, this.messages.length - start);
    const batch = Array.from({ length: size }, (_, i) => this.messages.get(start + i));
    const features = noGrad(() => {
      let x = this.model.embed(stack(batch.map(([ids]) => ids))); // [b, t] → [b, t, d]
      for (const block of this.blocks) x = block.forward(x);
      return x;
    });
    batch.forEach(([, label], i) => {
      this.examples[start + i] = [features.select(0, i), label];
    });
  }
}

export interface LessWork {
  logitsOf: ClassLogits;
  loaders: Parts<Batches>;
}

/** How to ask the model, and the loaders, so that no more is computed than the losses and gradients need. */
export async function leaveWorkOut(
  nb: Notebook,
  model: GPTModel,
  datasets: Parts<Dataset<[Tensor, Tensor]>>,
  batchSize: number,
): Promise<LessWork> {
  const count = frozenBlocks(model);
  const logitsOf = lastPositionOnly(model, count);
  if (count === 0) return { logitsOf, loaders: makeLoaders(datasets, batchSize) };

  const cache = (messages: Dataset<[Tensor, Tensor]>) => new CachedPrefix(model, messages, count);
  const cached = { train: cache(datasets.train), valid: cache(datasets.valid), test: cache(datasets.test) };
  const all = Object.values(cached);
  const progress = new Progress(
    '  frozen blocks',
    all.reduce((sum, { length }) => sum + length, 0),
  );
  let done = 0;
  for (const messages of all) {
    for (let position = 0; position < messages.length; position++) {
      messages.get(position);
      progress.update(++done);
      if (position % 8 === 7) await yieldToRuntime();
    }
  }
  progress.stop();
  nb.note(`The first ${count} of ${model.trfBlocks.length} blocks are frozen: computed once for all passes`);
  return { logitsOf, loaders: makeLoaders(cached, batchSize) };
}

/** The losses of the first steps of section 7's training, with everything computed. What was trained is put back as it was. */
export async function firstLosses(
  model: nn.Module,
  loader: Batches,
  {
    lr,
    schedule,
    epochs,
    seed,
    classWeights,
  }: Pick<FineTuneSettings, 'lr' | 'schedule' | 'epochs' | 'seed' | 'classWeights'>,
  steps: number,
): Promise<number[]> {
  const trained = trainedParameters(model);
  const before = trained.map((parameter) => parameter.detach().clone());
  const optimizer = new optim.AdamW(trained, { lr, weightDecay: WEIGHT_DECAY });
  const losses: number[] = [];
  manualSeed(seed);
  model.train();
  for (const [inputs, labels] of loader) {
    if (losses.length === steps) break;
    if (schedule === 'cosine') optimizer.lr = cosineRate(losses.length, epochs * loader.length, lr);
    optimizer.zeroGrad();
    const loss = calcLossBatch(inputs, labels, model, undefined, classWeights);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    await yieldToRuntime();
  }
  optimizer.zeroGrad();
  noGrad(() => trained.forEach((parameter, i) => void parameter.copyInPlace(before[i])));
  return losses;
}

/** How the losses of the first steps compare with those for which everything was computed. */
export function showSameLosses(nb: Notebook, everything: readonly number[], less: readonly number[]): void {
  const apart = largest(everything.map((loss, i) => Math.abs(loss - less[i])));
  nb.note(
    `With everything computed the first ${everything.length} losses were ` +
      `${everything
        .slice(0, 3)
        .map((loss) => loss.toFixed(4))
        .join(', ')}, …; ` +
      `they differ from these by at most ${apart.toExponential(1)}`,
  );
  nb.figure('largestDifferenceOfLosses', apart);
}
