import { fileURLToPath } from 'node:url';
import { io, nn, UserError } from '../../lib/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import { hubFile } from '../datasets/hub-file.ts';
import type { LanguageModel } from '../models/index.ts';
import { loadWeightsIntoGpt } from './05-openai-weights.ts';
import { type GptName, hubName, type ModelName, modelConfig } from './models.ts';

/** The weights of `mini`, shipped with the project; chapters/models/mini/README.md says how they were made. */
export const MINI_WEIGHTS = fileURLToPath(new URL('../models/mini/model.safetensors', import.meta.url));

export interface ModelSource<Name extends ModelName = ModelName> {
  model: Name;
  /** Where to take the weights from: a safetensors file, an index of several, or a folder; OpenAI's layout or the notebooks'. */
  weights?: string;
  /** Keep the random initial weights. */
  randomWeights?: boolean;
  print?: (line: string) => void;
}

/**
 * A GPT of the wanted size with its weights.
 * @throws UserError if a file is missing, damaged or of another model, or cannot be downloaded
 */
export async function obtainModel(source: ModelSource<GptName>): Promise<GPTModel> {
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

/** Weights alone are of the size that they are said to be of; a folder of the hub and a GGUF file say it themselves. */
export function saysItsSizes(path: string): boolean {
  return path.endsWith('.gguf') || io.kindOfPath(io.pathIn(path, 'config.json')) === 'file';
}

/** @throws UserError if it is another model than the one that was asked for */
export function ofSize(name: GptName, model: LanguageModel, path: string): GPTModel {
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

async function defaultWeights(name: GptName, print: (line: string) => void = console.log): Promise<string> {
  if (name === 'mini') return MINI_WEIGHTS;
  try {
    return await hubFile(hubName(name), 'model.safetensors', print);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `the weights of ${name} are not available (${error.message}): give a local copy with --weights PATH, ` +
        'or use --model mini or --random-weights',
    );
  }
}
