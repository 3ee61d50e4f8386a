import type { io } from '../../lib/index.ts';
import { GemmaModel } from '../gemma/model/04-gemma-model.ts';
import { everySixthSeesAll, type GemmaConfig, GEMMA3 as IN_ALL_SIZES } from '../gemma/model/config.ts';
import type { Family, Found } from './family.ts';
import { LLAMA, llamaFromGguf, rotationsFrom, sizesFromConfig } from './llama.ts';
import type { Settings } from './settings.ts';

const { 'model.layers.N.post_attention_layernorm': _, ...LLAMA_NAMES } = LLAMA.gguf;

/**
 * Gemma 3 without its eyes: its sizes in the two kinds of files, and the names of its tensors in GGUF. llama.cpp has added
 * 1 to the weights of its norms, which are 0 there where transformers' scale is 1; and the rows of queries and keys are in
 * the hub's order.
 */
export const GEMMA3: Family<GemmaConfig> = {
  name: 'gemma3_text',
  architecture: 'gemma3',
  tiedByDefault: true,
  make: (config) => new GemmaModel(config),
  fromConfig: gemmaFromConfig,
  fromGguf: gemmaFromGguf,
  gguf: {
    ...LLAMA_NAMES,
    'model.layers.N.self_attn.q_norm': 'blk.N.attn_q_norm',
    'model.layers.N.self_attn.k_norm': 'blk.N.attn_k_norm',
    'model.layers.N.post_attention_layernorm': 'blk.N.post_attention_norm',
    'model.layers.N.pre_feedforward_layernorm': 'blk.N.ffn_norm',
    'model.layers.N.post_feedforward_layernorm': 'blk.N.post_ffw_norm',
  },
  added: (path) => (/norm\w*\.scale$/.test(path) ? 1 : 0),
};

/** The defaults of transformers' Gemma3TextConfig. */
const DEFAULTS = {
  ...{ vocabSize: 262_208, contextLength: 131_072, embDim: 2304, nLayers: 26, hiddenDim: 9216 },
  ...{ nHeads: 8, nKvHeads: 4, headDim: 256 },
};
const [BASE, WINDOW_BASE] = [1_000_000, 10_000];

function gemmaFromConfig(config: Settings, found: Found): GemmaConfig {
  config.only('hidden_activation', 'gelu_pytorch_tanh');
  config.only('use_bidirectional_attention', false, null);
  config.only('attn_logit_softcapping', null);
  config.only('final_logit_softcapping', null);
  const sizes = sizesFromConfig(config, found, DEFAULTS);
  return {
    ...IN_ALL_SIZES,
    ...sizes,
    ...bothRotations(config, sizes),
    queryScalar: config.positive('query_pre_attn_scalar', 256),
    ...windowsFrom(config, sizes.nLayers),
  };
}

/** Which blocks have a window: by name for each of them, or by how many it takes until one has none. */
function windowsFrom(config: Settings, nLayers: number): Pick<GemmaConfig, 'window' | 'windowed'> {
  const [windowKind, fullKind] = ['sliding_attention', 'full_attention'];
  const kinds = config.list('layer_types');
  const period = config.size('sliding_window_pattern', 6);
  if (kinds && (kinds.length !== nLayers || kinds.some((kind) => kind !== windowKind && kind !== fullKind)))
    throw config.fault('layer_types', `${nLayers} of "${windowKind}" and "${fullKind}" are expected`);
  const windowed = kinds?.map((kind) => kind === windowKind) ?? everySixthSeesAll(nLayers, period);
  if (config.isNull('sliding_window') && windowed.includes(true))
    throw config.fault('sliding_window', 'a number of tokens is expected');
  return { windowed, window: config.size('sliding_window', 4096) };
}

/**
 * The rotations of both kinds of blocks. Where transformers 4 has a base for each and `rope_scaling` for blocks that see
 * all, transformers 5 has `rope_parameters` with the two kinds by name; it reads the old names where these say nothing.
 */
function bothRotations(
  config: Settings,
  sizes: ReturnType<typeof sizesFromConfig>,
): Pick<GemmaConfig, 'ropeBase' | 'ropeFactors' | 'windowRopeBase' | 'windowRopeFactors'> {
  const kinds = config.inside('rope_parameters');
  const [full, window] = [kinds?.inside('full_attention'), kinds?.inside('sliding_attention')];
  kinds?.finish();
  const scaling = config.inside('rope_scaling');
  if (scaling && kinds) throw config.fault('rope_scaling', 'rope_parameters says it too, and one is enough');
  // transformers 4 takes it for the kind, and transformers 5 does not.
  if (scaling?.value('type') !== undefined) throw scaling.fault('type', 'rope_type is expected in its place');
  const all = rotationsFrom(full ?? scaling, config.positive('rope_theta', BASE), sizes);
  const near = rotationsFrom(window, config.positive('rope_local_base_freq', WINDOW_BASE), sizes);
  return { ...all, windowRopeBase: near.ropeBase, windowRopeFactors: near.ropeFactors };
}

/** The sizes in GGUF's metadata. Its settings of the rotations are meant for the blocks that see all. */
function gemmaFromGguf(metadata: Settings, found: Found & { file: io.GgufFile }): GemmaConfig {
  const sizes = llamaFromGguf(metadata, found);
  metadata.only('attn_logit_softcapping', null);
  metadata.only('final_logit_softcapping', null);
  return {
    ...IN_ALL_SIZES,
    ...sizes,
    ropeBase: metadata.positive('rope.freq_base', BASE),
    windowRopeBase: metadata.positive('rope.freq_base_swa', WINDOW_BASE),
    window: metadata.size('attention.sliding_window'),
    windowed: everySixthSeesAll(sizes.nLayers, metadata.size('attention.sliding_window_pattern', 6)),
    // The largest divides by the width of a head as if the heads shared the width of the model.
    queryScalar: sizes.nLayers === 62 ? sizes.embDim / sizes.nHeads : sizes.headDim,
  };
}
