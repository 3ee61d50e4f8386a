import { GPT_CONFIG_124M, type GPTConfig, GPTModel } from '../../chapters/chapter04/index.ts';
import {
  type ClassLogits,
  lastPositionOnly,
  replaceHead,
  wrapWithLoRA,
} from '../../chapters/chapter06/index.ts';
import { F, manualSeed, type nn, optim, randint, type Tensor, tensor } from '../../lib/index.ts';

/** What is measured: GPT-2 small with random weights, as chapter 6 fine-tunes it with LoRA on every Linear. */

const CONFIG: GPTConfig = { ...GPT_CONFIG_124M, dropRate: 0, qkvBias: true };

export function gpt2Small(): GPTModel {
  manualSeed(123);
  return new GPTModel(CONFIG).eval();
}

/** The model, and how chapter 6 asks it: without what only other positions than the last need. */
export function loraClassifier(rank = 16): { model: GPTModel; lastOnly: ClassLogits } {
  const model = gpt2Small();
  replaceHead(model, 123);
  wrapWithLoRA(model, { rank, alpha: rank });
  return { model, lastOnly: lastPositionOnly(model) };
}

export interface Batch {
  ids: Tensor;
  labels: Tensor;
}

/** Random messages [batch, length] and labels [batch]. */
export function randomBatch(batch: number, length: number, vocabSize = CONFIG.vocabSize): Batch {
  const labels = Array.from({ length: batch }, (_, i) => i % 2);
  return { ids: randint(0, vocabSize, [batch, length]), labels: tensor(labels, { dtype: 'int32' }) };
}

/** Classes of each message, from its last position, with every position computed: [b, t] → [b, 2]. */
export const classify: ClassLogits = (ids, model) => model.forward(ids).select(1, -1);

/** One training step, as torch's script for the same measures it: forward, backward, AdamW. */
export function trainingStep(model: nn.Module, logitsOf = classify): (batch: Batch) => number {
  const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
  const optimizer = new optim.AdamW(trained, { lr: 8e-4, weightDecay: 0.1 });
  return ({ ids, labels }) => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(logitsOf(ids, model), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  };
}
