import { F, type nn, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import { tokeniser } from '../chapter02/index.ts';

/** What the functions here need of a tokeniser. */
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

/** Batches of inputs and targets, as a DataLoader gives them whatever its dataset holds. */
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
  noGrad(() => {
    for (const [inputs, targets] of loader) {
      if (seen === counted) break;
      sum += lossOfBatch(inputs, targets, model).item();
      seen++;
    }
  });
  return sum / counted;
}
