/**
 * The models on the Hugging Face hub that have a name here: where each is, whether it goes on with texts (base) or answers
 * messages (instruct), and whose terms it is used under. Everything that names a model takes it from this table.
 */

/** The terms of a model. */
export interface Licence {
  name: string;
  /** Where they can be read. */
  address: string;
  /** Does the hub give the files only to who has accepted the terms there? */
  gated: boolean;
}

export interface HubModel {
  /** Its name on the hub. */
  repository: string;
  kind: 'base' | 'instruct';
  licence: Licence;
  /** Tokens, width and blocks: a file of other sizes is not this model. */
  sizes: readonly [vocabSize: number, embDim: number, nLayers: number];
}

const MIT: Licence = {
  name: 'the MIT licence',
  address: 'https://github.com/openai/gpt-2/blob/master/LICENSE',
  gated: false,
};
const APACHE: Licence = {
  name: 'the Apache licence 2.0',
  address: 'https://www.apache.org/licenses/LICENSE-2.0',
  gated: false,
};
const GEMMA: Licence = {
  name: "Gemma's terms of use",
  address: 'https://ai.google.dev/gemma/terms',
  gated: true,
};
const LLAMA_3_2: Licence = {
  name: "Llama 3.2's community licence",
  address: 'https://www.llama.com/llama3_2/license',
  gated: true,
};

const model = (
  repository: string,
  kind: HubModel['kind'],
  licence: Licence,
  ...sizes: [number, number, number]
): HubModel => ({ repository, kind, licence, sizes });

export const HUB_MODELS = {
  'gpt2-small': model('openai-community/gpt2', 'base', MIT, 50_257, 768, 12),
  'gpt2-medium': model('openai-community/gpt2-medium', 'base', MIT, 50_257, 1024, 24),
  'gpt2-large': model('openai-community/gpt2-large', 'base', MIT, 50_257, 1280, 36),
  'gpt2-xl': model('openai-community/gpt2-xl', 'base', MIT, 50_257, 1600, 48),
  'smollm2-135m': model('HuggingFaceTB/SmolLM2-135M-Instruct', 'instruct', APACHE, 49_152, 576, 30),
  'smollm2-135m-base': model('HuggingFaceTB/SmolLM2-135M', 'base', APACHE, 49_152, 576, 30),
  'smollm2-360m': model('HuggingFaceTB/SmolLM2-360M-Instruct', 'instruct', APACHE, 49_152, 960, 32),
  'smollm2-360m-base': model('HuggingFaceTB/SmolLM2-360M', 'base', APACHE, 49_152, 960, 32),
  'gemma3-270m': model('google/gemma-3-270m', 'base', GEMMA, 262_144, 640, 18),
  'gemma3-270m-it': model('google/gemma-3-270m-it', 'instruct', GEMMA, 262_144, 640, 18),
  'qwen3-0.6b': model('Qwen/Qwen3-0.6B', 'instruct', APACHE, 151_936, 1024, 28),
  'qwen3-0.6b-base': model('Qwen/Qwen3-0.6B-Base', 'base', APACHE, 151_936, 1024, 28),
  'llama3.2-1b': model('meta-llama/Llama-3.2-1B', 'base', LLAMA_3_2, 128_256, 2048, 16),
  'llama3.2-1b-instruct': model(
    'meta-llama/Llama-3.2-1B-Instruct',
    'instruct',
    LLAMA_3_2,
    ...([128_256, 2048, 16] as const),
  ),
} as const satisfies Record<string, HubModel>;

export type HubModelName = keyof typeof HUB_MODELS;
/** Those that are no GPT-2: chapters 5 to 7 take them as they are, with their own tokenisers. */
export type NewerModelName = Exclude<HubModelName, `gpt2-${string}`>;

export const NEWER_MODELS = Object.keys(HUB_MODELS).filter(
  (name): name is NewerModelName => !name.startsWith('gpt2-'),
);

export function isNewerModel(name: string | undefined): name is NewerModelName {
  return name !== undefined && (NEWER_MODELS as string[]).includes(name);
}

/** `gemma3-270m, google/gemma-3-270m on the Hugging Face hub: a base model, under Gemma's terms of use (https://…)`. */
export function describeHubModel(name: HubModelName): string {
  const { repository, kind, licence } = HUB_MODELS[name];
  return (
    `${name}, ${repository} on the Hugging Face hub: ${kind === 'base' ? 'a base' : 'an instruct'} model, ` +
    `under ${licence.name} (${licence.address})`
  );
}
