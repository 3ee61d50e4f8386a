import { F, type nn, noGrad, type Tensor, tensor, UserError, yieldToRuntime } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import {
  calcLossLoader as calcLossLoaderWith,
  tokeniser as gpt2Tokeniser,
  type Tokeniser,
} from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { Progress } from '../common/progress.ts';
import { runToEnd } from '../common/training.ts';
import type { LabelledText, Parts } from '../datasets/index.ts';
import type { Batches } from './03-data-loaders.ts';
import { type Answers, shareRight } from './per-class.ts';

/**
 * The logits that classify: those of the last position, the only one that has seen the whole message.
 * (It is a padding token for all but the longest; the model learns to carry the answer there.)
 */
function lastPosition(inputs: Tensor, model: nn.Module): Tensor {
  return model.forward(inputs).select(1, -1); // [b, t, classes] → [b, classes]
}

/** How a model is asked: ids [b, t] → the logits of each message [b, classes]. */
export type ClassLogits = (inputs: Tensor, model: nn.Module) => Tensor;

/**
 * The same logits, without what only the other positions need (section 9): ids [b, t], or what the first `cached` blocks
 * have made of them [b, t, d], → [b, classes].
 * @throws UserError if the model has dropout: its random numbers would then be others
 */
export function lastPositionOnly(model: GPTModel, cached = 0): ClassLogits {
  if (model.config.dropRate !== 0)
    throw new UserError('only the last position of a model without dropout can be computed by itself');
  if (cached === 0) return (ids) => model.forward(ids, { lastOnly: true }).select(1, 0); // [b, 1, classes] → [b, classes]
  return (x) => {
    const last = model.throughBlocks(x, { lastOnly: true }, cached); // [b, t, d] → [b, 1, d]
    return model.outHead.forward(model.finalNorm.forward(last)).select(1, 0); // [b, 1, classes] → [b, classes]
  };
}

/** The share of messages classified right, over the first batches of a loader or all of them. */
export function calcAccuracyLoader(
  loader: Batches,
  model: nn.Module,
  numBatches?: number,
  logitsOf?: ClassLogits,
): number {
  return shareRight(runToEnd(answerSteps(loader, model, numBatches, logitsOf)));
}

/** What a model answers, batch by batch: it pauses after each, and returns all answers at the end. */
function* answerSteps(
  loader: Batches,
  model: nn.Module,
  numBatches = loader.length,
  logitsOf: ClassLogits = lastPosition,
): Generator<number, Answers> {
  model.eval();
  const answers: Answers = { labels: [], predicted: [] };
  let seen = 0;
  for (const [inputs, labels] of loader) {
    if (seen++ === numBatches) break;
    const predicted = noGrad(() => logitsOf(inputs, model).argmax(-1)); // [b, classes] → [b]
    answers.labels.push(...(labels.toFlatArray() as number[]));
    answers.predicted.push(...(predicted.toFlatArray() as number[]));
    yield seen;
  }
  return answers;
}

/**
 * Cross-entropy of the last position's logits against the labels [b].
 * @param classWeights what each class counts [classes]; all the same, if not given
 */
export function calcLossBatch(
  inputs: Tensor,
  labels: Tensor,
  model: nn.Module,
  logitsOf: ClassLogits = lastPosition,
  classWeights?: Tensor,
): Tensor {
  return F.crossEntropy(logitsOf(inputs, model), labels, { weight: classWeights });
}

/**
 * What each class counts in the loss; undefined where all count the same. Balanced, all classes count the same together: the weight of one is
 * texts / (classes × texts of the class), as scikit-learn's `class_weight='balanced'`. A batch's loss is then the weighted
 * mean, as PyTorch takes it.
 *
 * @param rows the training part
 * @returns [classes]
 * @throws UserError if there is a class without a text
 */
export function classWeightsOf(
  choice: 'none' | 'balanced' | undefined,
  rows: readonly LabelledText[],
  names: readonly string[],
): Tensor | undefined {
  if (choice !== 'balanced') return undefined;
  const counts = names.map((_, i) => rows.filter(({ label }) => label === i).length);
  const absent = names.find((_, i) => counts[i] === 0);
  if (absent === undefined) return tensor(counts.map((count) => rows.length / (names.length * count)));
  throw new UserError(
    `--class-weights balanced: the training part has no text of the class '${absent}'; add some, or leave the option out`,
  );
}

/** The mean loss over the first batches of a loader or all of them. */
export function calcLossLoader(loader: Batches, model: nn.Module, numBatches?: number): number {
  return calcLossLoaderWith(loader, model, numBatches, calcLossBatch);
}

/** The accuracy on each part, over the first batches or all of them. */
export async function calcAccuracies(
  loaders: Parts<Batches>,
  model: nn.Module,
  numBatches?: number,
  logitsOf?: ClassLogits,
): Promise<Parts<number>> {
  const { train, valid, test } = await calcAnswers(loaders, model, numBatches, logitsOf);
  return { train: shareRight(train), valid: shareRight(valid), test: shareRight(test) };
}

/** What a model answers on each part, over the first batches or all of them. */
export async function calcAnswers(
  loaders: Parts<Batches>,
  model: nn.Module,
  numBatches?: number,
  logitsOf?: ClassLogits,
): Promise<Parts<Answers>> {
  const all = [loaders.train, loaders.valid, loaders.test];
  const total = all.reduce((sum, { length }) => sum + Math.min(length, numBatches ?? length), 0);
  const progress = new Progress('  accuracy', total);
  let done = 0;
  const answersOf = async (loader: Batches) => {
    const steps = answerSteps(loader, model, numBatches, logitsOf);
    for (;;) {
      const { done: isDone, value } = steps.next();
      if (isDone) return value;
      progress.update(++done);
      await yieldToRuntime(); // hundreds of batches: a browser frees no memory before that
    }
  };
  const answers = {
    train: await answersOf(loaders.train),
    valid: await answersOf(loaders.valid),
    test: await answersOf(loaders.test),
  };
  progress.stop();
  return answers;
}

/** 0.9625 as `96.25%`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

export function printAccuracies(nb: Notebook, cell: number, { train, valid, test }: Parts<number>): void {
  nb.print(cell, `Training accuracy: ${percent(train)}`);
  nb.print(cell, `Validation accuracy: ${percent(valid)}`);
  nb.print(cell, `Test accuracy: ${percent(test)}`);
}

/** From two numbers to a class, and how often it is right before anything is trained: about half the time. */
export async function showLossAndAccuracy(
  nb: Notebook,
  model: nn.Module,
  loaders: Parts<Batches>,
  tokeniser: Tokeniser = gpt2Tokeniser,
): Promise<void> {
  const inputs = tensor([tokeniser.encode('Do you have time')], { dtype: 'int32' }); // [1, 4]
  const last = noGrad(() => lastPosition(inputs, model)); // [1, 2]
  nb.print(74, `Last output token: ${last}`);
  nb.print(76, `Class label: ${last.softmax(-1).argmax().item()}`);
  nb.print(78, `Class label: ${last.argmax().item()}`); // softmax changes nothing about which is larger

  printAccuracies(nb, 82, await calcAccuracies(loaders, model, 10));
  for (const [name, loader] of [
    ['Training', loaders.train],
    ['Validation', loaders.valid],
    ['Test', loaders.test],
  ] as const) {
    nb.print(89, `${name} loss: ${calcLossLoader(loader, model, 5).toFixed(3)}`);
    await yieldToRuntime();
  }
}
