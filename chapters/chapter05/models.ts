import type { GPTConfig } from '../chapter04/index.ts';
import { HUB_MODELS, NEWER_MODELS, type NewerModelName } from '../models/hub-models.ts';

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

/** `mini` and GPT-2's sizes: chapter 4's model, with GPT-2's tokens. */
export type GptName = keyof typeof MODELS;

export const GPT_NAMES = Object.keys(MODELS) as GptName[];

/** These, and newer models from the hub (models/hub-models.ts). */
export type ModelName = GptName | NewerModelName;

export const MODEL_NAMES: ModelName[] = [...GPT_NAMES, ...NEWER_MODELS];

export function modelConfig(name: GptName): GPTConfig {
  return { ...MODELS[name] };
}

/** A model's name on the hub; `mini` has none there. */
export function hubName(name: ModelName): string {
  return name === 'mini' ? name : HUB_MODELS[name].repository;
}
