import { type Tensor, UserError } from '../../../lib/index.ts';
import { END_OF_TEXT_ID } from '../../chapter02/index.ts';
import type { GPTModel } from '../../chapter04/index.ts';
import type { NewerModel } from '../../chapter05/index.ts';
import { type GemmaConfig, GemmaModel } from '../../gemma/index.ts';
import { type LlamaConfig, slowedDown } from '../../llama/index.ts';
import { headDimOf } from '../../llama/model/config.ts';

/**
 * The `config.json` from which transformers builds the same model. A classifier's has no `pad_token_id`: with one,
 * transformers would read the answer at the last token of the message, and here it is at the last of the padding.
 */
export function hubConfig(model: GPTModel, labels?: readonly string[]): Record<string, unknown> {
  const { vocabSize, contextLength, embDim, nHeads, nLayers } = model.config;
  const isClassifier = model.outHead.outFeatures !== vocabSize;
  const isTied = isClassifier || Boolean(model.outHead.weight.eq(model.tokEmb.weight).all().item());
  return {
    activation_function: 'gelu_new',
    architectures: [isClassifier ? 'GPT2ForSequenceClassification' : 'GPT2LMHeadModel'],
    attn_pdrop: 0,
    bos_token_id: END_OF_TEXT_ID,
    embd_pdrop: 0,
    eos_token_id: END_OF_TEXT_ID,
    ...(isClassifier && classNames(model.outHead.outFeatures, labels)),
    layer_norm_epsilon: 1e-5,
    model_type: 'gpt2',
    n_embd: embDim,
    n_head: nHeads,
    n_layer: nLayers,
    n_positions: contextLength,
    resid_pdrop: 0,
    tie_word_embeddings: isTied,
    vocab_size: vocabSize,
  };
}

/** The same of a newer model. Its classifier reads the last token that is no padding, so transformers has to know what padding is. */
export function newerHubConfig(
  model: NewerModel,
  {
    endIds,
    padTokenId,
    labels,
  }: { endIds: readonly number[]; padTokenId: number; labels?: readonly string[] },
): Record<string, unknown> {
  const { config, outHead, tokEmb } = model;
  const isClassifier = outHead.outFeatures !== config.vocabSize;
  const isTied = isClassifier || Boolean(outHead.weight.eq(tokEmb.weight).all().item());
  const family = model instanceof GemmaModel ? 'Gemma3' : config.qkNorm ? 'Qwen3' : 'Llama';
  const text = family === 'Gemma3' ? 'Gemma3Text' : family;
  return {
    architectures: [isClassifier ? `${text}ForSequenceClassification` : `${family}ForCausalLM`],
    attention_bias: false,
    eos_token_id: endIds.length === 1 ? endIds[0] : endIds,
    head_dim: headDimOf(config),
    hidden_size: config.embDim,
    ...(isClassifier && classNames(outHead.outFeatures, labels)),
    intermediate_size: config.hiddenDim,
    max_position_embeddings: config.contextLength,
    model_type: family === 'Gemma3' ? 'gemma3_text' : family.toLowerCase(),
    num_attention_heads: config.nHeads,
    num_hidden_layers: config.nLayers,
    num_key_value_heads: config.nKvHeads,
    ...(isClassifier && { pad_token_id: padTokenId }),
    rms_norm_eps: config.normEps,
    tie_word_embeddings: isTied,
    vocab_size: config.vocabSize,
    ...(model instanceof GemmaModel ? ofGemma(model.config) : ofLlama(config)),
  };
}

/** As transformers names classes that have no names of their own. */
function classNames(
  count: number,
  labels: readonly string[] = Array.from({ length: count }, (_, i) => `LABEL_${i}`),
) {
  return {
    id2label: Object.fromEntries(labels.map((name, i) => [i, name])),
    label2id: Object.fromEntries(labels.map((name, i) => [name, i])),
  };
}

function ofLlama(config: LlamaConfig): Record<string, unknown> {
  return {
    hidden_act: 'silu',
    rope_parameters: rotation(config, config.ropeBase, config.ropeFactors),
  };
}

function ofGemma(config: GemmaConfig): Record<string, unknown> {
  const { ropeBase, ropeFactors, windowRopeBase, windowRopeFactors } = config;
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    layer_types: config.windowed.map((has) => (has ? 'sliding_attention' : 'full_attention')),
    query_pre_attn_scalar: config.queryScalar ?? headDimOf(config),
    rope_parameters: {
      full_attention: rotation(config, ropeBase, ropeFactors),
      sliding_attention: rotation(config, windowRopeBase, windowRopeFactors),
    },
    sliding_window: config.window,
  };
}

/** How Llama 3.2 was slowed down; GGUF keeps only what comes of it. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 8192 };

/** @throws UserError if the frequencies are divided in a way that has no name here */
function rotation(config: LlamaConfig, base: number, factors?: readonly number[]): Record<string, unknown> {
  if (!factors) return { rope_theta: base, rope_type: 'default' };
  const factor = Math.max(...factors);
  if (factors.every((each) => each === factor)) return { rope_theta: base, rope_type: 'linear', factor };
  const asLlama3 = slowedDown(headDimOf(config), base, { factor, ...LLAMA3 });
  if (asLlama3.some((each, i) => Math.abs(each - factors[i]) > 1e-5 * each))
    throw new UserError(
      'the rotations of this model are slowed down in a way that a config.json cannot say from here: merge it with peft',
    );
  return {
    ...{ rope_theta: base, rope_type: 'llama3', factor },
    ...{ low_freq_factor: LLAMA3.lowFreqFactor, high_freq_factor: LLAMA3.highFreqFactor },
    original_max_position_embeddings: LLAMA3.originalContextLength,
  };
}

/** The tensors of a model whose head may be its embedding, which then stands there once. */
export function withTiedHead(
  weights: Record<string, Tensor>,
  config: Record<string, unknown>,
): Record<string, Tensor> {
  if (config.tie_word_embeddings !== true) return weights;
  const { 'lm_head.weight': _, ...rest } = weights;
  return rest;
}
