import type { io } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import type { LlamaModel } from '../llama/model/05-llama-model.ts';
import type { Settings } from './settings.ts';

/** A model that continues a text, as `loadModel` gives it. */
export type LanguageModel = GPTModel | LlamaModel;

/** Is it chapter 4's model, rather than a newer one? GPT-2 alone learns its positions. */
export function isGpt(model: LanguageModel): model is GPTModel {
  return 'posEmb' in model;
}

/** Sizes that every model has, under the names of chapter 4's config. */
export interface CommonSizes {
  vocabSize: number;
  contextLength: number;
  embDim: number;
  nLayers: number;
  /** Is the head the token embedding again? */
  tied?: boolean;
}

/** Sizes that are read from a file's tensors, before any claim of the file is believed. */
export interface Found {
  blocks: number;
  /** Rows and columns of the token embedding. */
  vocabulary: number;
  width: number;
}

/** A family of models: everything about its files. CONTRIBUTING says how to add a family. */
export interface Family<Config extends CommonSizes = CommonSizes> {
  /** `model_type` in a `config.json`; and `general.architecture` in GGUF, unless `architecture` says another. */
  readonly name: string;
  readonly architecture?: string;
  /** Is the head tied where a `config.json` has no `tie_word_embeddings`? */
  readonly tiedByDefault: boolean;
  make(config: Config): LanguageModel;
  fromConfig(config: Settings, found: Found): Config;
  fromGguf(metadata: Settings, found: Found & { file: io.GgufFile }): Config;
  /** The hub's name of each layer → GGUF's; N is the number of the block. */
  readonly gguf: Readonly<Record<string, string>>;
  /** Tensors of GGUF that `fromGguf` reads. */
  readonly readWithSizes?: readonly string[];
  /** Heads whose rows are in llama.cpp's order in GGUF (`unpermuteRows`), for a parameter of which that is so. */
  neighbours?(path: string, config: Config): number | undefined;
  /** The number that llama.cpp has added to a parameter, which is taken off again. */
  added?(path: string): number;
}
