/**
 * Settings of files that change no number and no token here. All others are used, or refused by name: add a setting to this
 * list only if you know that it changes nothing.
 */

/** Keys of a `config.json`. */
export const HARMLESS_SETTINGS: readonly (string | RegExp)[] = [
  // Names, dates, provenance; and which class and which program are to read the file.
  ...['architectures', 'transformers_version', 'auto_map', 'name_or_path', 'is_llama_config', /^_/],
  ...['transformers.js_config', /^unsloth_/, 'custom_pipelines'],
  // How numbers are stored and computed in Python: here they are float32.
  ...[
    'torch_dtype',
    'dtype',
    'use_bfloat16',
    'torchscript',
    'use_cache',
    'pretraining_tp',
    'attn_implementation',
  ],
  ...[
    'chunk_size_feed_forward',
    'output_attentions',
    'output_hidden_states',
    'return_dict',
    'tf_legacy_loss',
  ],
  // Training: where it began, and what it dropped.
  ...['initializer_range', 'attention_dropout', 'hidden_dropout', 'attn_pdrop', 'embd_pdrop', 'resid_pdrop'],
  ...['gradient_checkpointing', 'problem_type', 'finetuning_task', 'classifier_dropout'],
  // Tokens by name: those that end an answer are read, and the others stand in the tokeniser's own files.
  ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'sep_token_id', 'decoder_start_token_id', 'prefix'],
  ...['tokenizer_class', 'task_specific_params', 'n_ctx'],
  // A classifier's names; and the settings of GPT-2's heads for other tasks, which have tensors of their own.
  ...['id2label', 'label2id', 'num_labels', /^summary_/],
  // How an answer is drawn: the asker decides that.
  ...[
    'max_length',
    'min_length',
    'do_sample',
    'early_stopping',
    'num_beams',
    'num_beam_groups',
    'temperature',
  ],
  ...['diversity_penalty', 'top_k', 'top_p', 'typical_p', 'repetition_penalty', 'length_penalty'],
  ...['no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'bad_words_ids', 'num_return_sequences'],
  ...['output_scores', 'return_dict_in_generate', 'forced_bos_token_id', 'forced_eos_token_id'],
  ...[
    'remove_invalid_values',
    'exponential_decay_length_penalty',
    'suppress_tokens',
    'begin_suppress_tokens',
  ],
];

/** Tensors that Python has saved beside the weights: constants that are made anew here. */
export const HARMLESS_TENSORS: readonly RegExp[] = [
  /(^|\.)rotary_emb\.inv_freq$/, // the frequencies of the rotations
  /(^|\.)attn\.(bias|masked_bias)$/, // GPT-2's causal mask, and −10⁴
];

/** Keys of a GGUF file: names, dates, how the file was quantised. A model reads only the keys of its own family. */
export const HARMLESS_METADATA: readonly RegExp[] = [
  /^general\.(?!architecture$|type$|alignment$)/,
  /^(?!(llama|gpt2|qwen3|gemma3|tokenizer|split|adapter|general)\.)[^.]+\./,
];

/** Keys of GGUF's tokeniser that change no token of a byte pair encoding. */
export const HARMLESS_TOKENISER_METADATA: readonly (string | RegExp)[] = [
  // Scores are for SentencePiece's kind of vocabulary; a pair's place in the list of merges says it in the other.
  ...['tokenizer.ggml.scores', 'tokenizer.ggml.token_type_count'],
  // Tokens by name that no text is cut into.
  /^tokenizer\.ggml\.(padding|unknown|seperator|separator|cls|mask|fim_\w+|suffix|prefix|middle)_token_id$/,
  // Tokens around a text: the asker or a template puts them there.
  /^tokenizer\.ggml\.add_(eos|sep)_token$/,
  /^tokenizer\.chat_template\./,
  'tokenizer.chat_templates',
];

/** Keys of a `tokenizer_config.json`: texts are cut as `tokenizer.json` says, one at a time, and nothing is put around them. */
export const HARMLESS_TOKENISER_SETTINGS: readonly (string | RegExp)[] = [
  // Names, and which class of which program is to read the file.
  ...[
    'tokenizer_class',
    'processor_class',
    'auto_map',
    'backend',
    'is_local',
    'local_files_only',
    'name_or_path',
  ],
  ...[
    'tokenizer_file',
    'special_tokens_map_file',
    'model_input_names',
    'legacy',
    'from_slow',
    /^_/,
    /^unsloth_/,
  ],
  // Tokens around a text, and how a batch of texts is padded or cut off: the asker decides that.
  ...['add_bos_token', 'add_eos_token', 'model_max_length', 'max_length', 'stride', 'padding', 'truncation'],
  ...['padding_side', 'truncation_side', 'truncation_strategy', 'pad_to_multiple_of', 'pad_token_type_id'],
  // The special tokens again, of which `tokenizer.json` has the list; and how many tokens there are.
  ...['additional_special_tokens', 'model_specific_special_tokens', 'vocab_size'],
  // How ids become text in Python: blanks before punctuation, bytes that are no text.
  ...['clean_up_tokenization_spaces', 'spaces_between_special_tokens', 'errors', 'trim_offsets'],
  // A template that is used for nothing else.
  ...['use_default_system_prompt', 'response_schema', 'response_template'],
];
