import { io, nn, noGrad, type Tensor, tensor, UserError } from '../../lib/index.ts';
import { LlamaModel } from './model/05-llama-model.ts';
import { BpeTokeniser } from './model/06-tokeniser.ts';
import type { LlamaConfig } from './model/config.ts';

/** What belongs together: a model, its tokeniser, and the template that makes a conversation one text. */
export interface LoadedLlama {
  model: LlamaModel;
  tokeniser: BpeTokeniser;
  /** In the Jinja language, as files have it. */
  chatTemplate: string;
  /** The token that ends an answer. */
  endId: number;
}

/** Our name for each tensor of a block, and GGUF's. */
const BLOCK_TENSORS: Record<string, string> = {
  'norm1.scale': 'attn_norm',
  'att.W_query.weight': 'attn_q',
  'att.W_key.weight': 'attn_k',
  'att.W_value.weight': 'attn_v',
  'att.out_proj.weight': 'attn_output',
  'norm2.scale': 'ffn_norm',
  'ff.gate.weight': 'ffn_gate',
  'ff.up.weight': 'ffn_up',
  'ff.down.weight': 'ffn_down',
};

export interface LoadOptions {
  /**
   * Keeps matrices in their blocks of few bits, as the file has them (Q4_0, Q4_1, Q8_0; others become float32): a quarter
   * of the memory or less, and nothing to decode. They do not train; LoRA beside them does, which is QLoRA.
   */
  quantised?: boolean;
}

/**
 * Reads a model of the Llama family from a GGUF file, llama.cpp's format: sizes, weights, tokeniser and template in one.
 * @throws UserError if the file is missing, damaged, of another architecture, or lacks something
 */
export async function loadGguf(path: string, { quantised = false }: LoadOptions = {}): Promise<LoadedLlama> {
  return io.withGguf(path, (file) => {
    const config = configFrom(file);
    // No random numbers are drawn for what is overwritten at once.
    const model = nn.init.skip(() => new LlamaModel(config)).eval();
    noGrad(() => {
      for (const [name, parameter] of [...model.namedParameters()]) {
        const stored = tensorOf(file, ggufName(name), parameter.shape);
        const reorder = (weight: Tensor) => rowsAsHere(name, weight, config);
        if (quantised && io.canStayQuantised(stored))
          putWeight(model, name, io.quantisedTensor(stored, reorder));
        else parameter.copyInPlace(reorder(tensor(stored.data).reshape([...parameter.shape])));
      }
    });
    return { model, ...tokeniserFrom(file) };
  });
}

/** Puts a frozen weight in place of one that the model was made with; the head shares the embedding's. */
function putWeight(model: LlamaModel, name: string, weight: Tensor): void {
  const layer = model.getSubmodule(name.replace(/\.weight$/, '')) as nn.Linear | nn.Embedding;
  layer.weight = new nn.Parameter(weight, false);
  if (layer === model.tokEmb) model.outHead = nn.Linear.of(layer.weight, null);
}

function ggufName(name: string): string {
  if (name === 'tok_emb.weight') return 'token_embd.weight';
  if (name === 'final_norm.scale') return 'output_norm.weight';
  const [, block, part] = /^trf_blocks\.(\d+)\.(.+)$/.exec(name)!;
  return `blk.${block}.${BLOCK_TENSORS[part]}.weight`;
}

function tensorOf(file: io.GgufFile, name: string, shape: readonly number[]): io.GgufTensor {
  const stored = file.tensors.get(name);
  if (!stored) throw new UserError(`${file.name} lacks the tensor ${name}: it may be another kind of model`);
  if (stored.shape.join() !== shape.join()) {
    throw new UserError(
      `${name} of ${file.name} is [${stored.shape.join(', ')}], expected [${shape.join(', ')}]`,
    );
  }
  return stored;
}

/**
 * llama.cpp keeps the rows of a query or key projection in a different order: the two numbers that rotate together are
 * neighbours there, and half a head apart here (02-rope.ts). Mixing the two up gives fluent nonsense, and no error.
 */
function rowsAsHere(name: string, weight: Tensor, { nHeads, nKvHeads }: LlamaConfig): Tensor {
  if (name.endsWith('W_query.weight')) return unpermuteRows(weight, nHeads);
  if (name.endsWith('W_key.weight')) return unpermuteRows(weight, nKvHeads);
  return weight;
}

/** [h · d, in]: in each head row 2i becomes row i, and row 2i + 1 row i + d/2. */
export function unpermuteRows(weight: Tensor, heads: number): Tensor {
  const [rows, width] = weight.shape;
  return weight
    .view(heads, rows / heads / 2, 2, width) // [h, d/2, 2, in]
    .transpose(1, 2) // [h, 2, d/2, in]
    .reshape(rows, width);
}

function configFrom(file: io.GgufFile): LlamaConfig {
  const architecture = file.metadata.get('general.architecture');
  if (architecture !== 'llama') {
    throw new UserError(
      `${file.name} holds a model of the kind ${inShort(architecture)}: "llama" is expected`,
    );
  }
  const size = (key: string) => numberOf(file, `llama.${key}`);
  return {
    vocabSize: listOf(file, 'tokenizer.ggml.tokens').length,
    contextLength: size('context_length'),
    embDim: size('embedding_length'),
    nHeads: size('attention.head_count'),
    nKvHeads: size('attention.head_count_kv'),
    nLayers: size('block_count'),
    hiddenDim: size('feed_forward_length'),
    ropeBase: size('rope.freq_base'),
    normEps: size('attention.layer_norm_rms_epsilon'),
  };
}

/** llama.cpp's mark for special tokens. */
const CONTROL = 3;

function tokeniserFrom(file: io.GgufFile): Omit<LoadedLlama, 'model'> {
  const kind = file.metadata.get('tokenizer.ggml.pre');
  if (kind !== 'smollm' && kind !== 'gpt-2') {
    throw new UserError(
      `${file.name} has a tokeniser of the kind “${kind}”: “smollm” and “gpt-2” can be read`,
    );
  }
  const types = listOf(file, 'tokenizer.ggml.token_type');
  const tokeniser = new BpeTokeniser({
    tokens: listOf(file, 'tokenizer.ggml.tokens').map(String),
    merges: listOf(file, 'tokenizer.ggml.merges').map(String),
    special: types.flatMap((type, id) => (type === CONTROL ? [id] : [])),
    splitDigits: kind === 'smollm',
  });
  return {
    tokeniser,
    chatTemplate: String(file.metadata.get('tokenizer.chat_template') ?? ''),
    endId: numberOf(file, 'tokenizer.ggml.eos_token_id'),
  };
}

/** A value from a file, for a one-line message. */
function inShort(value: io.GgufValue | undefined): string {
  return JSON.stringify(String(value).slice(0, 40));
}

function metadataOf(file: io.GgufFile, key: string): io.GgufValue {
  const value = file.metadata.get(key);
  if (value === undefined) {
    throw new UserError(`${file.name} does not say its ${key}: it may be another kind of model`);
  }
  return value;
}

function numberOf(file: io.GgufFile, key: string): number {
  const value = metadataOf(file, key);
  if (typeof value !== 'number') throw new UserError(`${key} of ${file.name} is not a number`);
  return value;
}

function listOf(file: io.GgufFile, key: string): io.GgufValue[] {
  const value = metadataOf(file, key);
  if (!Array.isArray(value)) throw new UserError(`${key} of ${file.name} is not a list`);
  return value;
}
