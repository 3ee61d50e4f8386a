import { END_OF_TEXT_ID } from '../../chapter02/index.ts';
import type { GPTModel } from '../../chapter04/index.ts';

/**
 * The `config.json` from which transformers builds the same model. A classifier's has no `pad_token_id`: with one,
 * transformers would read the answer at the last token of the message, and here it is at the last of the padding.
 */
export function hubConfig(model: GPTModel, labels?: readonly string[]): Record<string, unknown> {
  const { vocabSize, contextLength, embDim, nHeads, nLayers } = model.config;
  const isClassifier = model.outHead.outFeatures !== vocabSize;
  const isTied = isClassifier || Boolean(model.outHead.weight.eq(model.tokEmb.weight).all().item());
  const names = labels ?? Array.from({ length: model.outHead.outFeatures }, (_, i) => `LABEL_${i}`);
  return {
    activation_function: 'gelu_new',
    architectures: [isClassifier ? 'GPT2ForSequenceClassification' : 'GPT2LMHeadModel'],
    attn_pdrop: 0,
    bos_token_id: END_OF_TEXT_ID,
    embd_pdrop: 0,
    eos_token_id: END_OF_TEXT_ID,
    ...(isClassifier && {
      id2label: Object.fromEntries(names.map((name, i) => [i, name])),
      label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    }),
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
