import { type DataLoader, F, type nn, noGrad, type Tensor } from '../../lib/index.ts';
import { calcLossLoader as calcLossLoaderWith } from '../chapter05/index.ts';

type Batches = DataLoader<[Tensor, Tensor]>;

/**
 * The logits that classify: those of the last position, the only one that has seen the whole message.
 * (It is a padding token for all but the longest; the model learns to carry the answer there.)
 */
function lastPosition(inputs: Tensor, model: nn.Module): Tensor {
  return model.forward(inputs).select(1, -1); // [b, t, classes] → [b, classes]
}

/** The share of messages classified right, over the first batches of a loader or all of them. */
export function calcAccuracyLoader(loader: Batches, model: nn.Module, numBatches = loader.length): number {
  model.eval();
  let correct = 0;
  let examples = 0;
  let seen = 0;
  noGrad(() => {
    for (const [inputs, labels] of loader) {
      if (seen++ === numBatches) break;
      const predicted = lastPosition(inputs, model).argmax(-1); // [b, classes] → [b]
      correct += predicted.eq(labels).sum().item();
      examples += labels.size;
    }
  });
  return correct / examples;
}

/** Cross-entropy of the last position's logits against the labels [b]. */
export function calcLossBatch(inputs: Tensor, labels: Tensor, model: nn.Module): Tensor {
  return F.crossEntropy(lastPosition(inputs, model), labels);
}

/** The mean loss over the first batches of a loader or all of them. */
export function calcLossLoader(loader: Batches, model: nn.Module, numBatches?: number): number {
  return calcLossLoaderWith(loader, model, numBatches, calcLossBatch);
}
