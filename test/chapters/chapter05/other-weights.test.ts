import { expect } from 'chai';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import {
  type GptName,
  loadWeightsIntoGpt,
  modelConfig,
  type Weights,
} from '../../../chapters/chapter05/index.ts';
import { nn, UserError, zeros } from '../../../lib/index.ts';

/** A model whose weights are never looked at, so that even a large one takes no memory. */
const untouched = (name: GptName) => nn.init.skip(() => new GPTModel(modelConfig(name)));

describe('chapter 5: weights of another model', () => {
  const others: [string, () => Weights, string][] = [
    [
      'gpt2-small',
      () => untouched('gpt2-small').stateDict(),
      'they are those of gpt2-small: use --model gpt2-small',
    ],
    [
      'a GPT of no size that is known',
      () => ({ 'wte.weight': zeros(40, 8), 'h.0.ln_1.weight': zeros(8), 'h.1.ln_1.weight': zeros(8) }),
      'a model of 40 tokens, width 8 and 2 blocks, not 50257, 128 and 4',
    ],
    [
      'an adapter of PEFT',
      () => ({ 'base_model.model.h.0.attn.c_attn.lora_A.weight': zeros(1) }),
      'they are a LoRA adapter',
    ],
    [
      'a Llama',
      () => ({ 'model.layers.0.self_attn.q_proj.weight': zeros(1) }),
      'those of a Llama, not of a GPT-2',
    ],
    [
      'a BERT',
      () => ({ 'bert.embeddings.word_embeddings.weight': zeros(1) }),
      'those of another kind of model',
    ],
  ];
  for (const [what, weights, message] of others) {
    it(`are named: ${what}`, () => {
      expect(() => loadWeightsIntoGpt(untouched('mini'), weights())).to.throw(UserError, message);
    });
  }
});
