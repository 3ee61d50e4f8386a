import { type io, UserError } from '../../lib/index.ts';
import { slowedDown } from '../llama/model/02-rope.ts';
import { LlamaModel } from '../llama/model/05-llama-model.ts';
import { headDimOf, type LlamaConfig } from '../llama/model/config.ts';
import type { Family, Found } from './family.ts';
import type { Settings } from './settings.ts';

/** llama.cpp keeps llama3's slowing down as the numbers that come of it. */
const ROPE_FACTORS = 'rope_freqs.weight';

/**
 * Llama: its sizes in the two kinds of files, and the names of its tensors in GGUF. Their names on the hub are beside the
 * model, in llama/model/hub-layout.ts, since adapters need them too.
 */
export const LLAMA: Family<LlamaConfig> = {
  name: 'llama',
  tiedByDefault: false,
  make: (config) => new LlamaModel(config),
  fromConfig: (config, found) => llamaFromConfig(config, found),
  fromGguf: (metadata, file) => llamaFromGguf(metadata, file),
  gguf: {
    'model.embed_tokens': 'token_embd',
    'model.norm': 'output_norm',
    lm_head: 'output',
    'model.layers.N.input_layernorm': 'blk.N.attn_norm',
    'model.layers.N.self_attn.q_proj': 'blk.N.attn_q',
    'model.layers.N.self_attn.k_proj': 'blk.N.attn_k',
    'model.layers.N.self_attn.v_proj': 'blk.N.attn_v',
    'model.layers.N.self_attn.o_proj': 'blk.N.attn_output',
    'model.layers.N.post_attention_layernorm': 'blk.N.ffn_norm',
    'model.layers.N.mlp.gate_proj': 'blk.N.ffn_gate',
    'model.layers.N.mlp.up_proj': 'blk.N.ffn_up',
    'model.layers.N.mlp.down_proj': 'blk.N.ffn_down',
  },
  readWithSizes: [ROPE_FACTORS],
  neighbours: (path, { nHeads, nKvHeads }) =>
    path.endsWith('W_query.weight') ? nHeads : path.endsWith('W_key.weight') ? nKvHeads : undefined,
};

/** What a missing key means to transformers' LlamaConfig; where it is not said, what follows from the others. */
const DEFAULTS: Defaults = { vocabSize: 32_000, hiddenDim: 11_008, contextLength: 2048 };

type Defaults = Pick<LlamaConfig, 'vocabSize' | 'hiddenDim' | 'contextLength'> &
  Partial<Pick<LlamaConfig, 'nKvHeads' | 'headDim'>>;

/** The sizes in a `config.json` of Llama's kind. */
export function llamaFromConfig(config: Settings, found: Found, defaults = DEFAULTS): LlamaConfig {
  config.only('hidden_act', 'silu', 'swish');
  config.only('attention_bias', false, null);
  config.only('mlp_bias', false, null);
  config.only('rope_interleaved', false);
  config.only('is_decoder', true, false);
  const nHeads = config.size('num_attention_heads', 32);
  const embDim = config.matching('hidden_size', found.width, 4096);
  const sizes = {
    vocabSize: config.matching('vocab_size', found.vocabulary, defaults.vocabSize),
    contextLength: config.size('max_position_embeddings', defaults.contextLength),
    embDim,
    nHeads,
    nKvHeads: config.size(
      'num_key_value_heads',
      config.isNull('num_key_value_heads') ? nHeads : (defaults.nKvHeads ?? nHeads),
    ),
    headDim: config.value('head_dim') === undefined ? defaults.headDim : config.size('head_dim'),
    nLayers: config.matching('num_hidden_layers', found.blocks, 32),
    hiddenDim: config.size('intermediate_size', defaults.hiddenDim),
    normEps: config.positive('rms_norm_eps', 1e-6),
  };
  return { ...sizes, ...rotationsFromConfig(config, headDimOf(sizes), sizes.contextLength) };
}

/**
 * Where transformers 4 has `rope_theta` and `rope_scaling`, transformers 5 has both in `rope_parameters`; it reads the old
 * names too, and prefers `rope_scaling`.
 */
function rotationsFromConfig(
  config: Settings,
  headDim: number,
  contextLength: number,
): Pick<LlamaConfig, 'ropeBase' | 'ropeFactors'> {
  config.only('partial_rotary_factor', 1, null);
  const outside = config.positive('rope_theta', 10_000);
  const [scaling, parameters] = [config.inside('rope_scaling'), config.inside('rope_parameters')];
  const rope = scaling ?? parameters;
  if (!rope) return { ropeBase: outside };
  rope.only('partial_rotary_factor', 1, null);
  const ropeBase = rope.positive('rope_theta', outside);
  const kind = rope.text('rope_type') ?? rope.text('type') ?? 'default';
  rope.only('type', kind, null);
  const key = rope.value('rope_type') === undefined ? 'type' : 'rope_type';
  if (kind !== 'default' && kind !== 'llama3')
    throw rope.fault(key, 'only "default" and "llama3" can be read');
  const ropeFactors =
    kind === 'default'
      ? undefined
      : slowedDown(headDim, ropeBase, {
          factor: rope.positive('factor'),
          lowFreqFactor: rope.positive('low_freq_factor'),
          highFreqFactor: rope.positive('high_freq_factor'),
          originalContextLength: rope.size('original_max_position_embeddings', contextLength),
        });
  rope.finish();
  return { ropeBase, ropeFactors };
}

/** The sizes in GGUF's metadata, whose keys begin with the family's name. */
export function llamaFromGguf(metadata: Settings, found: Found & { file: io.GgufFile }): LlamaConfig {
  const nHeads = metadata.size('attention.head_count');
  const embDim = metadata.matching('embedding_length', found.width);
  const sizes = {
    vocabSize: metadata.matching('vocab_size', found.vocabulary, found.vocabulary),
    contextLength: metadata.size('context_length'),
    embDim,
    nHeads,
    nKvHeads: metadata.size('attention.head_count_kv', nHeads),
    headDim: metadata.size('attention.key_length', embDim / nHeads),
    nLayers: metadata.matching('block_count', found.blocks),
    hiddenDim: metadata.size('feed_forward_length'),
    ropeBase: metadata.positive('rope.freq_base', 10_000),
    normEps: metadata.positive('attention.layer_norm_rms_epsilon'),
  };
  metadata.only('attention.value_length', sizes.headDim);
  metadata.only('rope.dimension_count', sizes.headDim);
  metadata.only('rope.scaling.type', 'none');
  metadata.only('rope.scaling.factor', 0, 1);
  metadata.only('rope.scaling.attn_factor', 1);
  metadata.only('rope.scale_linear', 0, 1);
  metadata.only('attention.causal', true);
  metadata.only('expert_count', 0);
  metadata.only('expert_used_count', 0);
  metadata.only('tensor_data_layout', 'Meta AI original pth');
  return { ...sizes, ropeFactors: factorsFrom(found.file, sizes.headDim) };
}

function factorsFrom(file: io.GgufFile, headDim: number): number[] | undefined {
  const stored = file.tensors.get(ROPE_FACTORS);
  if (!stored) return undefined;
  if (stored.shape.join() !== `${headDim / 2}`)
    throw new UserError(`${ROPE_FACTORS} of ${file.name} is [${stored.shape}], expected [${headDim / 2}]`);
  const factors = Array.from(stored.data);
  if (factors.every((factor) => factor > 0)) return factors;
  throw new UserError(`${ROPE_FACTORS} of ${file.name} has a factor that is not above 0`);
}
