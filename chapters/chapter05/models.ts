import type { GPTConfig } from '../chapter04/index.ts';

/** What all sizes of GPT-2 have in common. Dropout is off: they are fine-tuned here, not pretrained. */
const GPT2: Omit<GPTConfig, 'embDim' | 'nLayers' | 'nHeads'> = {
  vocabSize: 50257,
  contextLength: 1024,
  dropRate: 0,
  qkvBias: true,
};

/**
 * The models that the chapters know. The gpt2 sizes are OpenAI's (Radford et al. 2019, table 2); `mini` is this
 * project's own, pretrained by `npm run pretrain` and shipped with it.
 */
const MODELS = {
  mini: { ...GPT2, contextLength: 256, embDim: 128, nLayers: 4, nHeads: 4 },
  'gpt2-small': { ...GPT2, embDim: 768, nLayers: 12, nHeads: 12 },
  'gpt2-medium': { ...GPT2, embDim: 1024, nLayers: 24, nHeads: 16 },
  'gpt2-large': { ...GPT2, embDim: 1280, nLayers: 36, nHeads: 20 },
  'gpt2-xl': { ...GPT2, embDim: 1600, nLayers: 48, nHeads: 25 },
} satisfies Record<string, GPTConfig>;

export type ModelName = keyof typeof MODELS;

export const MODEL_NAMES = Object.keys(MODELS) as ModelName[];

export function modelConfig(name: ModelName): GPTConfig {
  return { ...MODELS[name] };
}
