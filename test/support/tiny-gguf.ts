import { readFileSync } from 'node:fs';
import { encodeFloat16 } from '../../lib/backend/quantised/half.ts';
import { readSafetensors } from '../../lib/io/safetensors.ts';

/**
 * The model of test/fixtures/llama/tiny as llama.cpp would have it in a GGUF file, written from the format's description
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): rows of q and k in llama.cpp's order, and q's weights as F16.
 * (It was held to what llama.cpp's own Python package gguf wrote of the same model: the same tensors and values.)
 */
const FOLDER = new URL('../fixtures/llama/tiny/', import.meta.url);
const ALIGNMENT = 32;

/** Numbers and texts as bytes, little-endian. */
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const padded = (bytes: Buffer) =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

/** Values with the number of their type in front. */
const uint = (value: number) => Buffer.concat([u32(4), u32(value)]);
const float = (value: number) => Buffer.concat([u32(6), Buffer.from(Float32Array.of(value).buffer)]);
const string = (value: string) => Buffer.concat([u32(8), text(value)]);
const uints = (values: number[]) => Buffer.concat([u32(9), u32(4), u64(values.length), ...values.map(u32)]);
const strings = (values: string[]) =>
  Buffer.concat([u32(9), u32(8), u64(values.length), ...values.map(text)]);

/** What is changed in the file. */
export interface GgufChanges {
  /** Values by key: a number of 32 bits, one of 64, a float, a text, a list of texts, or null to leave the key out. */
  set?: Record<string, number | bigint | { float: number } | string | string[] | null>;
  /** Tensors of float32 more, or in place of one; null leaves one out. */
  tensors?: Record<string, { shape: number[]; data: number[] } | null>;
}

export function tinyGguf({ set = {}, tensors: changed = {} }: GgufChanges = {}): Uint8Array {
  const config = readJson('config.json');
  const given: Record<string, Buffer> = { ...sizesOf(config), ...tokeniser() };
  for (const [key, value] of Object.entries(set)) {
    if (value === null) delete given[key];
    else given[key] = encoded(value);
  }
  const metadata = Object.entries(given);
  const tensors = tensorsOf(config).filter(({ name }) => !(name in changed));
  for (const [name, tensor] of Object.entries(changed)) {
    if (tensor)
      tensors.push({
        name,
        shape: tensor.shape,
        type: 0,
        data: Buffer.from(Float32Array.from(tensor.data).buffer),
      });
  }
  let offset = 0;
  const listed = tensors.map(({ name, shape, type, data }) => {
    const lengths = [...shape].reverse().map(u64); // innermost first
    const entry = Buffer.concat([text(name), u32(shape.length), ...lengths, u32(type), u64(offset)]);
    offset += padded(data).length;
    return entry;
  });
  const header = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.length)];
  const values = metadata.flatMap(([key, value]) => [text(key), value]);
  const whole = [
    padded(Buffer.concat([...header, ...values, ...listed])),
    ...tensors.map((t) => padded(t.data)),
  ];
  return new Uint8Array(Buffer.concat(whole));
}

function encoded(value: number | bigint | { float: number } | string | string[]): Buffer {
  if (typeof value === 'string') return string(value);
  if (typeof value === 'bigint') return Buffer.concat([u32(10), u64(Number(value))]);
  if (Array.isArray(value)) return strings(value);
  return typeof value === 'object' ? float(value.float) : uint(value);
}

function readJson(name: string) {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
}

type Config = Record<string, number>;

function sizesOf(config: Config): Record<string, Buffer> {
  return {
    'general.architecture': string('llama'),
    'llama.block_count': uint(config.num_hidden_layers),
    'llama.context_length': uint(config.max_position_embeddings),
    'llama.embedding_length': uint(config.hidden_size),
    'llama.feed_forward_length': uint(config.intermediate_size),
    'llama.attention.head_count': uint(config.num_attention_heads),
    'llama.attention.head_count_kv': uint(config.num_key_value_heads),
    'llama.rope.freq_base': float(1000),
    'llama.attention.layer_norm_rms_epsilon': float(config.rms_norm_eps),
  };
}

function tokeniser(): Record<string, Buffer> {
  const { model, added_tokens: added } = readJson('tokenizer.json');
  const tokens: string[] = [];
  for (const [token, id] of Object.entries<number>(model.vocab)) tokens[id] = token;
  for (const { id, content } of added) tokens[id] = content;
  const special = new Set(added.map(({ id }: { id: number }) => id));
  return {
    'tokenizer.ggml.pre': string('smollm'),
    'tokenizer.ggml.tokens': strings(tokens),
    'tokenizer.ggml.token_type': uints(tokens.map((_, id) => (special.has(id) ? 3 : 1))),
    'tokenizer.ggml.merges': strings(
      model.merges.map((merge: string | string[]) => [merge].flat().join(' ')),
    ),
    'tokenizer.ggml.eos_token_id': uint(2),
    'tokenizer.chat_template': string(readJson('tokenizer_config.json').chat_template),
  };
}

const BLOCK_NAMES: Record<string, string> = {
  ...{
    input_layernorm: 'attn_norm',
    post_attention_layernorm: 'ffn_norm',
    'self_attn.o_proj': 'attn_output',
  },
  ...{ 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v' },
  ...{ 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down' },
};

function ggufName(theirs: string): string {
  const [, block, part] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(theirs) ?? [];
  if (block !== undefined) return `blk.${block}.${BLOCK_NAMES[part]}.weight`;
  return theirs === 'model.norm.weight' ? 'output_norm.weight' : 'token_embd.weight';
}

function tensorsOf(config: Config) {
  const stored = readSafetensors(new Uint8Array(readFileSync(new URL('model.safetensors', FOLDER))));
  return Array.from(stored, ([theirs, { shape, data }]) => {
    const name = ggufName(theirs);
    const heads = name.includes('attn_q')
      ? config.num_attention_heads
      : name.includes('attn_k')
        ? config.num_key_value_heads
        : 0;
    const numbers = heads > 0 ? neighbouringPairs(data, shape, heads) : Float32Array.from(data);
    if (name.endsWith('attn_q.weight')) return { name, shape, type: 1, data: asFloat16(numbers) };
    return { name, shape, type: 0, data: Buffer.from(numbers.buffer) };
  });
}

/** In each head row i goes to place 2i, and row i + d/2 to 2i + 1. */
function neighbouringPairs(
  data: ArrayLike<number>,
  [rows, width]: readonly number[],
  heads: number,
): Float32Array {
  const out = new Float32Array(data.length);
  const half = rows / heads / 2;
  for (let row = 0; row < rows; row++) {
    const [head, inHead] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const to = head * 2 * half + 2 * (inHead % half) + Math.floor(inHead / half);
    for (let i = 0; i < width; i++) out[to * width + i] = data[row * width + i];
  }
  return out;
}

const asFloat16 = (numbers: Float32Array) => Buffer.from(Uint16Array.from(numbers, encodeFloat16).buffer);
