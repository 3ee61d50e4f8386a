import { type GPTConfig, GPTModel } from '../../chapters/chapter04/index.ts';
import { F, manualSeed, nn, optim, randint, type Tensor } from '../../lib/index.ts';

/** The fine-tuning of chapter 6 with LoRA on every Linear, on ids without meaning: what it computes, not what it learns. */

/** The shape of `mini`, the model that comes with the project. */
export const MINI: GPTConfig = {
  vocabSize: 50257,
  contextLength: 256,
  embDim: 128,
  nHeads: 4,
  nLayers: 4,
  dropRate: 0,
  qkvBias: false,
};

/** Small enough for a software driver. */
export const TINY: GPTConfig = {
  ...MINI,
  vocabSize: 211,
  contextLength: 24,
  embDim: 32,
  nHeads: 2,
  nLayers: 2,
};

export interface LoRATraining {
  readonly model: GPTModel;
  readonly optimiser: optim.AdamW;
  /** One step on the next batch, or on that of step number `at`: its loss. */
  step(at?: number): number;
}

export function loraTraining(config: GPTConfig, batch: number, tokens: number, rank = 16): LoRATraining {
  manualSeed(123);
  const model = new GPTModel(config);
  model.requiresGrad_(false);
  model.outHead = new nn.Linear(config.embDim, 2);
  nn.replaceLinearWithLoRA(model, { rank, alpha: rank });
  model.requiresGrad_(false);
  const trainable: nn.Parameter[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    if (!name.includes('.lora.')) continue;
    parameter.requiresGrad_(true);
    trainable.push(parameter);
  }
  const optimiser = new optim.AdamW(trainable, { lr: 5e-4, weightDecay: 0.1 });
  const batches: { ids: Tensor; labels: Tensor }[] = [];
  for (let i = 0; i < 4; i++) {
    batches.push({ ids: randint(0, config.vocabSize, [batch, tokens]), labels: randint(0, 2, [batch]) });
  }
  let steps = 0;
  return {
    model,
    optimiser,
    step(at = steps) {
      steps = at + 1;
      const { ids, labels } = batches[at % batches.length];
      optimiser.zeroGrad();
      const logits = model.forward(ids).select(1, -1); // [b, t, 2] → [b, 2]
      const loss = F.crossEntropy(logits, labels);
      loss.backward();
      optimiser.step();
      return loss.item();
    },
  };
}
