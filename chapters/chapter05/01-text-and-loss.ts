import { F, manualSeed, type nn, noGrad, type Tensor, tensor, tidy } from '../../lib/index.ts';
import { createDataloaderV1, tokeniser } from '../chapter02/index.ts';
import { type GPTModel, generateTextSimple } from '../chapter04/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';

/** What the functions here need from a tokeniser. */
export type Tokeniser = typeof tokeniser;

/** A text as ids [1, t], ready for a model. */
export function textToTokenIds(text: string, encoder: Tokeniser = tokeniser): Tensor {
  const ids = encoder.encode(text, { allowedSpecial: new Set(['<|endoftext|>']) });
  return tensor(ids, { dtype: 'int32' }).unsqueeze(0); // [t] → [1, t]
}

/** Ids [1, t] or [t] as text. */
export function tokenIdsToText(ids: Tensor, encoder: Tokeniser = tokeniser): string {
  return encoder.decode(ids.flatten().toFlatArray() as number[]);
}

/** Batches of inputs and targets, as a DataLoader gives them, whatever its dataset holds. */
export interface Batches extends Iterable<[Tensor, Tensor]> {
  readonly length: number;
}

/** Cross-entropy of the next token over a batch: inputs and targets [b, t] → a scalar. */
export function calcLossBatch(inputs: Tensor, targets: Tensor, model: nn.Module): Tensor {
  const logits = model.forward(inputs); // [b, t, vocab]
  return F.crossEntropy(logits.flatten(0, 1), targets.flatten()); // [b·t, vocab], [b·t]
}

/** A loss for one batch, in the manner of `calcLossBatch`. */
export type LossOfBatch = (inputs: Tensor, targets: Tensor, model: nn.Module) => Tensor;

/** The mean loss of the first batches of a loader, or of all of them; NaN if it has none. */
export function calcLossLoader(
  loader: Batches,
  model: nn.Module,
  numBatches = loader.length,
  lossOfBatch: LossOfBatch = calcLossBatch,
): number {
  const counted = Math.min(numBatches, loader.length);
  let sum = 0;
  let seen = 0;
  for (const [inputs, targets] of loader) {
    if (seen === counted) break;
    // Without a graph, and with the memory given back at once: a browser would keep that of all batches until a pause.
    sum += tidy(() => lossOfBatch(inputs, targets, model)).item();
    seen++;
  }
  return sum / counted;
}

export const START = 'Every effort moves you';

/** An untrained model continues a text. */
export function showUntrainedText(nb: Notebook, model: GPTModel): void {
  const ids = generateTextSimple(model, textToTokenIds(START), 10, model.config.contextLength); // [1, 14]
  nb.print(15, `Output text:\n ${tokenIdsToText(ids)}`);
}

/**
 * From logits to one number that says how wrong the model is: the probability it gives to each right token, its
 * logarithm, the mean, the sign turned. F.crossEntropy is all of that; its exponential is the perplexity.
 */
export function showCrossEntropy(nb: Notebook, model: GPTModel): void {
  const ids = (rows: number[][]) => tensor(rows, { dtype: 'int32' });
  const inputs = ids([
    [16833, 3626, 6100], // "every effort moves"
    [40, 1107, 588], // "I really like"
  ]);
  const targets = ids([
    [3626, 6100, 345], // " effort moves you"
    [1107, 588, 11311], // " really like chocolate"
  ]);
  const logits = noGrad(() => model.forward(inputs)); // [2, 3] → [2, 3, vocab]
  const probas = logits.softmax(-1); // [2, 3, vocab]
  nb.print(21, torchSize(probas.shape));

  const guesses = probas.argmax(-1, true); // [2, 3, 1]
  nb.print(26, `Token IDs:\n ${guesses}`);
  nb.print(28, `Targets batch 1: ${tokenIdsToText(targets.select(0, 0))}`);
  nb.print(28, `Outputs batch 1: ${tokenIdsToText(guesses.select(0, 0))}`);

  const ofTargets = probas.gather(2, targets.unsqueeze(2)).squeeze(2); // [2, 3, vocab] → [2, 3]
  nb.print(32, `Text 1: ${ofTargets.select(0, 0)}`);
  nb.print(32, `Text 2: ${ofTargets.select(0, 1)}`);
  const logProbas = ofTargets.flatten().log(); // [6]
  nb.print(34, logProbas);
  const average = logProbas.mean();
  nb.print(36, average);
  nb.print(39, average.mul(-1));

  nb.print(43, `Logits shape: ${torchSize(logits.shape)}`);
  nb.print(43, `Targets shape: ${torchSize(targets.shape)}`);
  const flatLogits = logits.flatten(0, 1); // [2, 3, vocab] → [6, vocab]
  const flatTargets = targets.flatten(); // [6]
  nb.print(45, `Flattened logits: ${torchSize(flatLogits.shape)}`);
  nb.print(45, `Flattened targets: ${torchSize(flatTargets.shape)}`);
  const loss = F.crossEntropy(flatLogits, flatTargets);
  nb.print(47, loss);
  nb.print(49, loss.exp());
}

export interface TextLoaders {
  train: Batches;
  val: Batches;
}

/** The first 90% of a text to learn from and the rest to be measured on, in pieces of `contextLength` tokens. */
export function makeTextLoaders(text: string, contextLength: number): TextLoaders {
  const cut = Math.floor(0.9 * text.length);
  const window = { batchSize: 2, maxLength: contextLength, stride: contextLength };
  return {
    train: createDataloaderV1(text.slice(0, cut), { ...window, dropLast: true, shuffle: true }),
    val: createDataloaderV1(text.slice(cut), { ...window, dropLast: false, shuffle: false }),
  };
}

/** How long the text is, and what the loaders make of it. */
export function showTextLoaders(nb: Notebook, text: string, contextLength: number): TextLoaders {
  nb.print(55, text.slice(0, 99));
  nb.print(56, text.slice(-99));
  nb.print(57, `Characters: ${[...text].length}`);
  nb.print(57, `Tokens: ${tokeniser.encode(text).length}`);

  manualSeed(123);
  const loaders = makeTextLoaders(text, contextLength);
  nb.print(65, 'Train loader:');
  for (const [x, y] of loaders.train) nb.print(65, torchSize(x.shape), torchSize(y.shape));
  nb.print(65, '\nValidation loader:');
  for (const [x, y] of loaders.val) nb.print(65, torchSize(x.shape), torchSize(y.shape));

  const countTokens = (loader: Batches) => [...loader].reduce((sum, [x]) => sum + x.size, 0);
  const [train, val] = [countTokens(loaders.train), countTokens(loaders.val)];
  nb.print(67, `Training tokens: ${train}`);
  nb.print(67, `Validation tokens: ${val}`);
  nb.print(67, `All tokens: ${train + val}`);
  return loaders;
}

/** The loss of the untrained model on both parts: about ln 50,257 = 10.8, that of guessing. */
export function showUntrainedLosses(nb: Notebook, model: GPTModel, loaders: TextLoaders): void {
  manualSeed(123); // for the order of the batches
  const train = calcLossLoader(loaders.train, model);
  const val = calcLossLoader(loaders.val, model);
  nb.print(71, `Training loss: ${train}`);
  nb.print(71, `Validation loss: ${val}`);
  nb.figure('untrainedLoss', { train, val });
}
