import { LlamaModel } from '../llama/model/05-llama-model.ts';
import type { LlamaConfig } from '../llama/model/config.ts';
import type { Family } from './family.ts';
import { LLAMA, llamaFromConfig, llamaFromGguf } from './llama.ts';

/**
 * Qwen3: a Llama that norms queries and keys, each head by itself, before it turns them. Its heads together are wider than the
 * model. In GGUF the rows of its queries and keys are in the hub's order.
 */
export const QWEN3: Family<LlamaConfig> = {
  name: 'qwen3',
  tiedByDefault: false,
  make: (config) => new LlamaModel(config),
  fromConfig(config, found) {
    // Windows are for the layers from max_window_layers on, and only where they are asked for.
    config.only('use_sliding_window', false);
    config.harmless(['sliding_window', 'max_window_layers']);
    const layers = config.list('layer_types') ?? [];
    if (layers.some((kind) => kind !== 'full_attention'))
      throw config.fault('layer_types', 'only "full_attention" can be read');
    const defaults = {
      vocabSize: 151_936,
      hiddenDim: 22_016,
      nKvHeads: 32,
      headDim: 128,
      contextLength: 32_768,
      ...{ embDim: 4096, nHeads: 32, nLayers: 32 },
    };
    return { ...llamaFromConfig(config, found, defaults), qkNorm: true };
  },
  fromGguf: (metadata, found) => ({ ...llamaFromGguf(metadata, found), qkNorm: true }),
  gguf: {
    ...LLAMA.gguf,
    'model.layers.N.self_attn.q_norm': 'blk.N.attn_q_norm',
    'model.layers.N.self_attn.k_norm': 'blk.N.attn_k_norm',
  },
};
