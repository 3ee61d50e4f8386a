import { fileURLToPath } from 'node:url';
import { io, nn, UserError } from '../../lib/index.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, gpt2TokenBytes, tokeniser } from '../chapter02/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import { hubFile } from '../datasets/hub-file.ts';
import type { LanguageModel, LoadedModel } from '../models/index.ts';
import { loadWeightsIntoGpt } from './05-openai-weights.ts';
import { type ModelName, modelConfig } from './models.ts';

/** The weights of `mini`, shipped with the project; chapters/models/mini/README.md says how they were made. */
export const MINI_WEIGHTS = fileURLToPath(new URL('../models/mini/model.safetensors', import.meta.url));

/** Where OpenAI's weights are on the Hugging Face hub. */
const HUB_REPOSITORIES: Record<Exclude<ModelName, 'mini'>, string> = {
  'gpt2-small': 'openai-community/gpt2',
  'gpt2-medium': 'openai-community/gpt2-medium',
  'gpt2-large': 'openai-community/gpt2-large',
  'gpt2-xl': 'openai-community/gpt2-xl',
};

/** A model's name on the hub; `mini` has none there. */
export function hubName(name: ModelName): string {
  return name === 'mini' ? name : HUB_REPOSITORIES[name];
}

export interface ModelSource {
  model: ModelName;
  /** Where to take the weights from: a safetensors file, an index of several, or a folder; OpenAI's layout or the notebooks'. */
  weights?: string;
  /** Keep the random initial weights. */
  randomWeights?: boolean;
  print?: (line: string) => void;
}

/**
 * A model of the wanted size with its weights.
 * @throws UserError if a file is missing, damaged or of another model, or cannot be downloaded
 */
export async function obtainModel(source: ModelSource): Promise<GPTModel> {
  const config = modelConfig(source.model);
  if (source.randomWeights) return new GPTModel(config);
  const path = source.weights ?? (await defaultWeights(source.model, source.print));
  if (saysItsSizes(path)) {
    // All families and tokenisers: a page that shows mini alone does not wait for them.
    const { loadModel } = await import('../models/index.ts');
    return ofSize(source.model, (await loadModel(path)).model, path);
  }
  return io.withTensors(path, `the weights of ${source.model}`, (weights) => {
    // No random numbers are drawn for what is overwritten at once.
    const model = nn.init.skip(() => new GPTModel(config));
    loadWeightsIntoGpt(model, weights);
    return model;
  });
}

/** A model that goes on with a text, and what it needs for that: how texts become ids, what one begins with, and what ends it. */
export type TextModel = Pick<LoadedModel, 'model' | 'endIds'> & {
  tokeniser: Pick<LoadedModel['tokeniser'], 'encode' | 'bytes' | 'startIds'>;
};

/**
 * A model of any family, if the weights say themselves of which; it keeps the matrices of a GGUF file as they are stored. Else
 * the GPT of the wanted size, with GPT-2's tokens.
 * @throws UserError as `obtainModel` does
 */
export async function obtainTextModel(source: ModelSource): Promise<TextModel> {
  const { weights, randomWeights } = source;
  if (weights !== undefined && !randomWeights && saysItsSizes(weights)) {
    const { loadModel } = await import('../models/index.ts');
    const loaded = await loadModel(weights, { quantised: true });
    if ('posEmb' in loaded.model) ofSize(source.model, loaded.model, weights);
    return loaded;
  }
  const table = gpt2TokenBytes();
  return {
    model: await obtainModel(source),
    endIds: [END_OF_TEXT_ID],
    tokeniser: {
      encode: (text) => tokeniser.encode(text, { allowedSpecial: new Set([END_OF_TEXT]) }),
      bytes: (ids) => Uint8Array.from(Array.from(ids).flatMap((id) => [...table[id]])),
      startIds: [],
    },
  };
}

/** Weights alone are of the size that they are said to be of; a folder of the hub and a GGUF file say it themselves. */
function saysItsSizes(path: string): boolean {
  return path.endsWith('.gguf') || io.kindOfPath(io.pathIn(path, 'config.json')) === 'file';
}

/** @throws UserError if it is another model than the one that was asked for */
function ofSize(name: ModelName, model: LanguageModel, path: string): GPTModel {
  if (!('posEmb' in model))
    throw new UserError(
      `the weights do not fit the model: ${path} holds a newer kind of model, and a GPT-2 is expected: npm run llama and npm run generate take it`,
    );
  const [wanted, found] = [modelConfig(name), model.config].map(
    ({ vocabSize, contextLength, embDim, nLayers, nHeads }) =>
      `${vocabSize} tokens, ${contextLength} positions, width ${embDim}, ${nLayers} blocks and ${nHeads} heads`,
  );
  if (wanted !== found)
    throw new UserError(`the weights do not fit the model: ${path} has ${found}, and ${name} ${wanted}`);
  if (model.outHead.outFeatures !== model.config.vocabSize)
    throw new UserError(`${path} is a classifier, and a model that continues texts is expected`);
  return model.train();
}

async function defaultWeights(name: ModelName, print: (line: string) => void = console.log): Promise<string> {
  if (name === 'mini') return MINI_WEIGHTS;
  const repo = HUB_REPOSITORIES[name];
  try {
    return await hubFile(repo, 'model.safetensors', print);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `the weights of ${name} are not available (${error.message}): give a local copy with --weights PATH, ` +
        'or use --model mini or --random-weights',
    );
  }
}
