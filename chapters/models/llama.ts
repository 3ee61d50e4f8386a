import { type io, UserError } from '../../lib/index.ts';
import { slowedDown } from '../llama/model/02-rope.ts';
import { LlamaModel } from '../llama/model/05-llama-model.ts';
import { headDimOf, type LlamaConfig } from '../llama/model/config.ts';
import type { Family, Found } from './family.ts';
import type { Settings } from './settings.ts';

/** llama.cpp stores llama3's slowing down as one factor for each frequency. */
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

/** The defaults of transformers' LlamaConfig. A key that is not here follows from the others. */
const DEFAULTS: Defaults = {
  ...{ vocabSize: 32_000, hiddenDim: 11_008, contextLength: 2048 },
  ...{ embDim: 4096, nHeads: 32, nLayers: 32 },
};

type Sizes = Pick<
  LlamaConfig,
  | 'vocabSize'
  | 'contextLength'
  | 'embDim'
  | 'nHeads'
  | 'nLayers'
  | 'hiddenDim'
  | 'nKvHeads'
  | 'headDim'
  | 'normEps'
>;
type Defaults = Omit<Sizes, 'nKvHeads' | 'normEps'> & Partial<Pick<Sizes, 'nKvHeads'>>;

/** The configuration in a `config.json` of Llama's kind. */
export function llamaFromConfig(config: Settings, found: Found, defaults = DEFAULTS): LlamaConfig {
  config.only('hidden_act', 'silu', 'swish');
  config.only('mlp_bias', false, null);
  const sizes = sizesFromConfig(config, found, defaults);
  config.only('partial_rotary_factor', 1, null);
  const outside = config.positive('rope_theta', 10_000);
  // transformers reads the old names too, and prefers `rope_scaling`.
  const [scaling, parameters] = [config.inside('rope_scaling'), config.inside('rope_parameters')];
  return { ...sizes, ...rotationsFrom(scaling ?? parameters, outside, sizes) };
}

/** The sizes that all families of Llama's kind have under the same names. */
export function sizesFromConfig(config: Settings, found: Found, defaults: Defaults): Sizes {
  config.only('attention_bias', false, null);
  config.only('rope_interleaved', false);
  config.only('is_decoder', true, false);
  const nHeads = config.size('num_attention_heads', defaults.nHeads);
  const embDim = config.matching('hidden_size', found.width, defaults.embDim);
  return {
    vocabSize: config.matching('vocab_size', found.vocabulary, defaults.vocabSize),
    contextLength: config.size('max_position_embeddings', defaults.contextLength),
    embDim,
    nHeads,
    nKvHeads: config.size(
      'num_key_value_heads',
      config.isNull('num_key_value_heads') ? nHeads : (defaults.nKvHeads ?? nHeads),
    ),
    headDim: config.value('head_dim') === undefined ? defaults.headDim : config.size('head_dim'),
    nLayers: config.matching('num_hidden_layers', found.blocks, defaults.nLayers),
    hiddenDim: config.size('intermediate_size', defaults.hiddenDim),
    normEps: config.positive('rms_norm_eps', 1e-6),
  };
}

/**
 * One kind of rotations. Where transformers 4 has `rope_theta` and `rope_scaling`, transformers 5 has both in
 * `rope_parameters`.
 * @param rope the settings that say more than the base, if there are any
 * @param outside the base, unless these have one
 */
export function rotationsFrom(
  rope: Settings | undefined,
  outside: number,
  sizes: Sizes,
): Pick<LlamaConfig, 'ropeBase' | 'ropeFactors'> {
  if (!rope) return { ropeBase: outside };
  const headDim = headDimOf(sizes);
  rope.only('partial_rotary_factor', 1, null);
  const ropeBase = rope.positive('rope_theta', outside);
  const kind = rope.text('rope_type') ?? rope.text('type') ?? 'default';
  rope.only('type', kind, null);
  const key = rope.value('rope_type') === undefined ? 'type' : 'rope_type';
  let ropeFactors: number[] | undefined;
  if (kind === 'linear') ropeFactors = sameFactor(headDim, rope.positive('factor'));
  else if (kind === 'llama3') {
    ropeFactors = slowedDown(headDim, ropeBase, {
      factor: rope.positive('factor'),
      lowFreqFactor: rope.positive('low_freq_factor'),
      highFreqFactor: rope.positive('high_freq_factor'),
      originalContextLength: rope.size('original_max_position_embeddings', sizes.contextLength),
    });
  } else if (kind !== 'default') throw rope.fault(key, 'only "default", "linear" and "llama3" can be read');
  rope.finish();
  return { ropeBase, ropeFactors };
}

/** All frequencies divided by one number: every position counts as an earlier one. */
function sameFactor(headDim: number, factor: number): number[] {
  return Array.from({ length: headDim / 2 }, () => factor);
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
  metadata.only('rope.scaling.attn_factor', 1);
  metadata.only('rope.scale_linear', 0, 1);
  metadata.only('attention.causal', true);
  metadata.only('expert_count', 0);
  metadata.only('expert_used_count', 0);
  metadata.only('tensor_data_layout', 'Meta AI original pth');
  return {
    ...sizes,
    ropeFactors: factorsFrom(found.file, sizes.headDim) ?? scalingFrom(metadata, sizes.headDim),
  };
}

function scalingFrom(metadata: Settings, headDim: number): number[] | undefined {
  metadata.only('rope.scaling.type', 'none', 'linear');
  if (metadata.text('rope.scaling.type') === 'linear')
    return sameFactor(headDim, metadata.positive('rope.scaling.factor'));
  metadata.only('rope.scaling.factor', 0, 1);
  return undefined;
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
