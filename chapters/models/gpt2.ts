import type { io } from '../../lib/index.ts';
import { type GPTConfig, GPTModel } from '../chapter04/index.ts';
import type { Family, Found } from './family.ts';
import type { Settings } from './settings.ts';

/**
 * GPT-2: its sizes in the two kinds of files, and the names of its tensors in GGUF. Their names on the hub are beside the
 * model, in chapter04/hub-layout.ts, since adapters need them too. There its matrices are [in, out], and query, key and
 * value are one; in GGUF they are one too, as [out, in].
 */
export const GPT2: Family<GPTConfig> = {
  name: 'gpt2',
  tiedByDefault: true,
  make: (config) => new GPTModel(config),
  fromConfig: gpt2FromConfig,
  fromGguf: gpt2FromGguf,
  gguf: {
    'transformer.wte': 'token_embd',
    'transformer.wpe': 'position_embd',
    'transformer.ln_f': 'output_norm',
    lm_head: 'output',
    'transformer.h.N.ln_1': 'blk.N.attn_norm',
    'transformer.h.N.attn.c_attn': 'blk.N.attn_qkv',
    'transformer.h.N.attn.c_proj': 'blk.N.attn_output',
    'transformer.h.N.ln_2': 'blk.N.ffn_norm',
    'transformer.h.N.mlp.c_fc': 'blk.N.ffn_up',
    'transformer.h.N.mlp.c_proj': 'blk.N.ffn_down',
  },
};

/** GPT-2's ε is the same in all sizes, and chapter 4's LayerNorm has no other. */
const NORM_EPS = 1e-5;

/** Dropout is off: a model from a file is fine-tuned here, not pretrained. OpenAI's projections have biases. */
const AS_LOADED = { dropRate: 0, qkvBias: true };

/** The sizes in a `config.json`. A key that is missing means what it means to transformers' GPT2Config. */
function gpt2FromConfig(config: Settings, found: Found): GPTConfig {
  const embDim = config.matching('n_embd', found.width, 768);
  // Three names of the same tanh form.
  config.only('activation_function', 'gelu_new', 'gelu_pytorch_tanh', 'gelu_fast');
  config.only('n_inner', null, 4 * embDim);
  config.only('layer_norm_epsilon', NORM_EPS);
  config.only('scale_attn_weights', true);
  config.only('scale_attn_by_inverse_layer_idx', false);
  config.only('reorder_and_upcast_attn', false, true); // another order of the same products
  config.only('add_cross_attention', false);
  config.only('is_decoder', true, false);
  return {
    vocabSize: config.matching('vocab_size', found.vocabulary, 50_257),
    contextLength: config.size('n_positions', 1024),
    embDim,
    nHeads: headsOf(config, 'n_head', embDim, 12),
    nLayers: config.matching('n_layer', found.blocks, 12),
    ...AS_LOADED,
  };
}

/** The sizes in GGUF's metadata, whose keys begin with the family's name. */
function gpt2FromGguf(metadata: Settings, found: Found & { file: io.GgufFile }): GPTConfig {
  const embDim = metadata.matching('embedding_length', found.width);
  const nHeads = headsOf(metadata, 'attention.head_count', embDim);
  metadata.only('attention.head_count_kv', nHeads);
  metadata.only('attention.layer_norm_epsilon', NORM_EPS, Math.fround(NORM_EPS));
  metadata.only('attention.causal', true);
  metadata.only('feed_forward_length', 4 * embDim);
  return {
    vocabSize: metadata.matching('vocab_size', found.vocabulary, found.vocabulary),
    contextLength: metadata.size('context_length'),
    embDim,
    nHeads,
    nLayers: metadata.matching('block_count', found.blocks),
    ...AS_LOADED,
  };
}

function headsOf(settings: Settings, key: string, embDim: number, fallback?: number): number {
  const heads = settings.size(key, fallback);
  if (embDim % heads === 0) return heads;
  throw settings.fault(key, `a number of heads that divides the width, ${embDim}, is expected`);
}
