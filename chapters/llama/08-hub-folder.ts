import { io, nn, type Tensor, UserError } from '../../lib/index.ts';
import type { LoadedLlama } from './07-gguf.ts';
import { LlamaModel } from './model/05-llama-model.ts';
import { BpeTokeniser } from './model/06-tokeniser.ts';
import type { LlamaConfig } from './model/config.ts';
import { HUB_LINEARS, HUB_NORMS } from './model/hub-layout.ts';

/** The files of a model on the Hugging Face hub that are read here. */
export const HUB_FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];

/**
 * Reads a model of the Llama family from a folder as the Hugging Face hub has it: `config.json`, `model.safetensors` (or
 * its parts and their index), `tokenizer.json`, and the chat template in `tokenizer_config.json`.
 * @throws UserError if a file is missing, damaged, or of another architecture
 */
export async function loadHubFolder(folder: string): Promise<LoadedLlama> {
  const config = configFrom(folder);
  return io.withTensors(folder, 'the weights', (weights) => {
    const model = nn.init.skip(() => new LlamaModel(config)).eval();
    const state: Record<string, Tensor> = {};
    for (const name of Object.keys(model.stateDict())) {
      const theirs = hubName(name, weights);
      if (weights[theirs]) state[name] = weights[theirs];
    }
    model.loadStateDict(state);
    return { model, ...tokeniserFrom(folder) };
  });
}

function hubName(name: string, weights: Record<string, Tensor>): string {
  if (name === 'tok_emb.weight') return 'model.embed_tokens.weight';
  if (name === 'final_norm.scale') return 'model.norm.weight';
  // A tied head is not stored a second time.
  if (name === 'out_head.weight')
    return weights['lm_head.weight'] ? 'lm_head.weight' : 'model.embed_tokens.weight';
  const [, block, part] = /^trf_blocks\.(\d+)\.(.+)\.(?:weight|scale)$/.exec(name)!;
  return `model.layers.${block}.${HUB_LINEARS[part] ?? HUB_NORMS[part]}.weight`;
}

function configFrom(folder: string): LlamaConfig {
  const path = io.pathIn(folder, 'config.json');
  const config = io.readJson(path, "the model's sizes");
  if (config.model_type !== 'llama') {
    throw new UserError(`${path} is of a model of the kind “${config.model_type}”: “llama” is expected`);
  }
  if (config.rope_scaling)
    throw new UserError(`${path} asks for scaled rotations (rope_scaling), which are not supported`);
  const size = (key: string): number => {
    const value = config[key] ?? DEFAULTS[key];
    if (typeof value !== 'number') throw new UserError(`${path} does not say its ${key}`);
    return value;
  };
  const ropeParameters = config.rope_parameters as { rope_theta?: number } | undefined;
  return {
    vocabSize: size('vocab_size'),
    contextLength: size('max_position_embeddings'),
    embDim: size('hidden_size'),
    nHeads: size('num_attention_heads'),
    nKvHeads:
      config.num_key_value_heads === undefined ? size('num_attention_heads') : size('num_key_value_heads'),
    nLayers: size('num_hidden_layers'),
    hiddenDim: size('intermediate_size'),
    ropeBase: ropeParameters?.rope_theta ?? size('rope_theta'),
    normEps: size('rms_norm_eps'),
  };
}

/** The defaults that Hugging Face's configuration leaves out. */
const DEFAULTS: Record<string, number> = { rope_theta: 10_000, rms_norm_eps: 1e-6 };

interface TokeniserFile {
  added_tokens?: { id: number; content: string; special: boolean }[];
  model?: { type?: string; vocab?: Record<string, number>; merges?: (string | [string, string])[] };
  pre_tokenizer?: unknown;
}

function tokeniserFrom(folder: string): Omit<LoadedLlama, 'model'> {
  const path = io.pathIn(folder, 'tokenizer.json');
  const {
    added_tokens: added = [],
    model,
    pre_tokenizer: pieces,
  } = io.readJson(path, 'the tokeniser') as TokeniserFile;
  if (model?.type !== 'BPE' || !model.vocab || !model.merges) {
    throw new UserError(`${path} is not a byte pair encoding, the only kind of tokeniser supported here`);
  }
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(model.vocab)) tokens[id] = token;
  for (const { id, content } of added) tokens[id] = content;
  const tokeniser = new BpeTokeniser({
    tokens,
    merges: model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
    special: added.filter((token) => token.special).map((token) => token.id),
    splitDigits: JSON.stringify(pieces ?? null).includes('"Digits"'),
  });

  const settings = io.readJson(io.pathIn(folder, 'tokenizer_config.json'), "the tokeniser's settings");
  const end = settings.eos_token as string | { content?: string } | undefined;
  const endText = typeof end === 'object' ? end.content : end;
  const endId = tokeniser.special.get(endText ?? '');
  if (endId === undefined)
    throw new UserError(`${folder}: its eos_token “${endText}” is not a special token`);
  return { tokeniser, chatTemplate: String(settings.chat_template ?? ''), endId };
}
