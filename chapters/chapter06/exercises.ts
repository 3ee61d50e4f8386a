import { noGrad, type Tensor } from '../../lib/index.ts';
import type { GPTConfig, GPTModel } from '../chapter04/index.ts';
import type { Method } from './05-classification-head.ts';

/**
 * 1. How many numbers a method trains, for a head of two classes with bias. A Linear from i to o with LoRA trains
 * rank · (i + o).
 */
export function trainedNumbers(method: Method, config: GPTConfig, rank: number): number {
  const { embDim: d, nLayers, vocabSize, contextLength } = config;
  const bias = config.qkvBias ? d : 0;
  const head = 2 * d + 2;
  const norm = 2 * d;
  const attention = 4 * d * d + 3 * bias + d;
  const feedForward = 2 * 4 * d * d + 4 * d + d;
  const block = attention + feedForward + 2 * norm;
  if (method === 'head') return head;
  if (method === 'last-block') return block + norm + head;
  if (method === 'full') return (vocabSize + contextLength) * d + nLayers * block + norm + head;
  // A is [in, rank] and B [rank, out]: four matrices d → d, d → 4d and 4d → d in each block, and the head d → 2.
  return rank * (nLayers * (4 * 2 * d + 2 * 5 * d) + d + 2);
}

/** 2. The logits at the first position: nothing that follows can reach them. ids [b, t] → [b, 2]. */
export function firstPositionLogits(model: GPTModel, ids: Tensor): Tensor {
  return noGrad(() => model.forward(ids).select(1, 0));
}

/**
 * 3. The logits at a message's own last token, with the padding behind it: ids [1, t] and the message's
 * length → [1, 2]. The mask hides what comes later, so the padding changes nothing there; it only adds positions.
 */
export function logitsAtOwnEnd(model: GPTModel, ids: Tensor, length: number): Tensor {
  return noGrad(() => model.forward(ids).select(1, length - 1));
}

/** 4. What always answering the larger class scores. The larger class, divided by all. */
export function majorityAccuracy(labels: readonly number[]): number {
  const spam = labels.filter((label) => label === 1).length;
  return Math.max(spam, labels.length - spam) / labels.length;
}
