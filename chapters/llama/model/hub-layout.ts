import type { io } from '../../../lib/index.ts';
import type { LlamaModel } from './05-llama-model.ts';

/** Our name for each layer of a block, and transformers'. The rows of q and k are in our order there. */
export const HUB_LINEARS: Record<string, string> = {
  'att.W_query': 'self_attn.q_proj',
  'att.W_key': 'self_attn.k_proj',
  'att.W_value': 'self_attn.v_proj',
  'att.out_proj': 'self_attn.o_proj',
  'ff.gate': 'mlp.gate_proj',
  'ff.up': 'mlp.up_proj',
  'ff.down': 'mlp.down_proj',
};
/** The Linears of a block that LoRA is put beside: all of them, by our names. */
export const LORA_TARGETS = Object.keys(HUB_LINEARS).map((path) => path.replace(/^.*\./, ''));

/** Our name for each norm of a Llama's block, and transformers'. */
export const HUB_NORMS: Readonly<Record<string, string>> = {
  norm1: 'input_layernorm',
  norm2: 'post_attention_layernorm',
};
/** Of the numbers of a head, where there are such norms. */
const HUB_HEAD_NORMS: Record<string, string> = {
  'att.q_norm': 'self_attn.q_norm',
  'att.k_norm': 'self_attn.k_norm',
};

/**
 * What the layers of a LlamaModel are called in transformers' Llama, so that LoRA adapters can go there and come
 * back.
 * @param ofBlock the norms of a block
 */
export function hubLayoutOf(model: LlamaModel, ofBlock = HUB_NORMS): io.HubLayout {
  const isClassifier = model.outHead.outFeatures !== model.config.vocabSize;
  const blocks = Array.from({ length: model.config.nLayers }, (_, i) => i);
  const norms = { ...ofBlock, ...(model.config.qkNorm && HUB_HEAD_NORMS) };
  const norm = (name: string, ours: string): io.HubModule => ({
    name,
    ours,
    parameters: { weight: 'scale' },
  });
  return {
    linears: [
      ...blocks.flatMap((i) =>
        Object.entries(HUB_LINEARS).map(
          ([ours, theirs]): io.HubLinear => ({
            name: `model.layers.${i}.${theirs}`,
            ours: [`trf_blocks.${i}.${ours}`],
            transposed: false,
          }),
        ),
      ),
      { name: isClassifier ? 'score' : 'lm_head', ours: ['out_head'], transposed: false },
    ],
    others: [
      { name: 'model.embed_tokens', ours: 'tok_emb', parameters: { weight: 'weight' } },
      ...blocks.flatMap((i) =>
        Object.entries(norms).map(([ours, theirs]) =>
          norm(`model.layers.${i}.${theirs}`, `trf_blocks.${i}.${ours}`),
        ),
      ),
      norm('model.norm', 'final_norm'),
    ],
    // A norm without a shift cannot take a classifier's bias.
    head: { ours: 'out_head', languageModel: 'lm_head', classifier: 'score', isClassifier, norm: null },
  };
}
