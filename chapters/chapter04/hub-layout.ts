import type { io } from '../../lib/index.ts';
import type { GPTModel } from './06-gpt-model.ts';

/**
 * What the layers of a GPTModel are called in transformers' GPT-2, so LoRA adapters can go there and come back. There
 * query, key and value are one layer, and the layers of a block are `Conv1D`, which keep their weights as [in, out].
 */
export function hubLayoutOf(model: GPTModel): io.HubLayout {
  const { nLayers, vocabSize } = model.config;
  const isClassifier = model.outHead.outFeatures !== vocabSize;
  const norm = (name: string, ours: string): io.HubModule => ({
    name: `transformer.${name}`,
    ours,
    parameters: { weight: 'scale', bias: 'shift' },
  });
  const embedding = (name: string, ours: string): io.HubModule => ({
    name: `transformer.${name}`,
    ours,
    parameters: { weight: 'weight' },
  });
  const blocks = Array.from({ length: nLayers }, (_, i) => ({
    there: `transformer.h.${i}`,
    here: `trf_blocks.${i}`,
  }));
  return {
    linears: [
      ...blocks.flatMap(({ there, here }): io.HubLinear[] => {
        const attention = ['W_query', 'W_key', 'W_value'].map((name) => `${here}.att.${name}`);
        return [
          { name: `${there}.attn.c_attn`, ours: attention, transposed: true },
          { name: `${there}.attn.c_proj`, ours: [`${here}.att.out_proj`], transposed: true },
          { name: `${there}.mlp.c_fc`, ours: [`${here}.ff.layers.0`], transposed: true },
          { name: `${there}.mlp.c_proj`, ours: [`${here}.ff.layers.2`], transposed: true },
        ];
      }),
      { name: isClassifier ? 'score' : 'lm_head', ours: ['out_head'], transposed: false },
    ],
    others: [
      embedding('wte', 'tok_emb'),
      embedding('wpe', 'pos_emb'),
      ...Array.from({ length: nLayers }, (_, i) => [
        norm(`h.${i}.ln_1`, `trf_blocks.${i}.norm1`),
        norm(`h.${i}.ln_2`, `trf_blocks.${i}.norm2`),
      ]).flat(),
      norm('ln_f', 'final_norm'),
    ],
    head: {
      ours: 'out_head',
      languageModel: 'lm_head',
      classifier: 'score',
      isClassifier,
      norm: model.finalNorm,
    },
  };
}
