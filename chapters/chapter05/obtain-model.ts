import { fileURLToPath } from 'node:url';
import { io, nn, UserError } from '../../lib/index.ts';
import {
  END_OF_TEXT,
  END_OF_TEXT_ID,
  gpt2TokenBytes,
  type Tokeniser,
  tokeniser,
} from '../chapter02/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import { hubFile } from '../datasets/hub-file.ts';
import { HUB_MODELS, isNewerModel, NEWER_MODELS } from '../models/hub-models.ts';
import type { LanguageModel, LoadedModel } from '../models/index.ts';
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

/** A model that goes on with a text, and what it needs for that: how texts become ids, what one begins with, and what ends it. */
export type TextModel = Pick<LoadedModel, 'model' | 'endIds' | 'chatTemplate'> & {
  tokeniser: Tokeniser & Pick<LoadedModel['tokeniser'], 'bytes' | 'startIds'>;
};

/**
 * A model of any family: a newer one by its name, or by what the weights say of themselves, which keeps the matrices of a GGUF
 * file as they are stored; else the GPT of the wanted size, with GPT-2's tokens.
 * @throws UserError as `obtainModel` does
 */
export async function obtainTextModel(source: ModelSource): Promise<TextModel> {
  const newer = await loadSayingItsSizes(source);
  if (newer) return newer;
  const table = gpt2TokenBytes();
  return {
    model: await obtainModel(source as ModelSource<GptName>),
    endIds: [END_OF_TEXT_ID],
    tokeniser: {
      ...tokeniser,
      encode: (text) => tokeniser.encode(text, { allowedSpecial: new Set([END_OF_TEXT]) }),
      bytes: (ids) => Uint8Array.from(Array.from(ids).flatMap((id) => [...table[id]])),
      startIds: [],
    },
  };
}

/** A model from files that say their sizes; undefined for others. A GPT-2 among them has to be the one that was asked for. */
async function loadSayingItsSizes(source: ModelSource): Promise<LoadedModel | undefined> {
  const { model: name, weights, randomWeights, print = console.log } = source;
  if (isNewerModel(name)) {
    if (randomWeights)
      throw new UserError(
        `--random-weights is for mini and GPT-2’s sizes: ${name} is used as it was pretrained, so leave it out`,
      );
    const { loadModel } = await import('../models/index.ts');
    const { obtainHubModel } = await import('../models/obtain.ts');
    const path = weights ?? (await obtainHubModel(name, print));
    const loaded = await loadModel(path, { quantised: true });
    const wanted = HUB_MODELS[name].sizes;
    const found = sizesOf(loaded.model);
    if (wanted.join() !== found.join())
      throw new UserError(`${path} is not ${name}: it has ${inWords(found)}, and ${name} ${inWords(wanted)}`);
    return loaded;
  }
  if (weights === undefined || randomWeights || !saysItsSizes(weights)) return undefined;
  const { loadModel } = await import('../models/index.ts');
  const loaded = await loadModel(weights, { quantised: true });
  if ('posEmb' in loaded.model) ofSize(name, loaded.model, weights);
  return loaded;
}

const sizesOf = ({ config }: LanguageModel) => [config.vocabSize, config.embDim, config.nLayers];
const inWords = ([vocabSize, embDim, nLayers]: readonly number[]) =>
  `${vocabSize} tokens, width ${embDim} and ${nLayers} blocks`;

/** A pretrained model that is to be fine-tuned: its sizes and its tokens; and itself, as often as it is wanted from its start. */
interface Base<Model extends LanguageModel> {
  /** What messages call it. */
  name: string;
  /** What an adapter calls its base: the name on the hub, or else the path of its files. */
  hub: string;
  contextLength: number;
  embDim: number;
  /** Of whole texts: what a text for the model begins with is in front of each. */
  tokeniser: Tokeniser;
  /** What shorter texts are filled up with where they are classified. */
  padTokenId: number;
  /** The tokens that end an answer. */
  endIds: readonly number[];
  /** In eval mode. A GPT without weights of its own is drawn: seed it. */
  fresh(): Promise<Model>;
}

/** `mini` or a GPT-2: chapters 6 and 7 fine-tune it in all the book's ways, with GPT-2's tokens. */
export type GptBase = Base<GPTModel> & { isNewer: false; size: GptName; name: GptName };
/** Another family: LoRA is put beside its matrices, which stay as their file has them (QLoRA where those are blocks). */
export type NewerBase = Base<Exclude<LanguageModel, GPTModel>> & { isNewer: true; size: 'newer' };
export type BaseModel = GptBase | NewerBase;

/**
 * The model that is to be fine-tuned. A newer one is loaded at once, since its files say its sizes and tokens; a GPT when it
 * is needed.
 * @throws UserError if the files are missing, damaged or of another model, or cannot be downloaded
 */
export async function obtainBase(source: ModelSource): Promise<BaseModel> {
  const loaded = await loadSayingItsSizes(source);
  if (loaded && !('posEmb' in loaded.model)) return baseOfLoaded(source, loaded);
  const size = source.model as GptName;
  const { contextLength, embDim } = modelConfig(size);
  return {
    ...{ isNewer: false, size, name: size, hub: hubName(size), contextLength, embDim },
    ...{ tokeniser, padTokenId: END_OF_TEXT_ID, endIds: [END_OF_TEXT_ID] },
    fresh: async () => (await obtainModel({ ...source, model: size })).eval(),
  };
}

/** The same of a newer model that is loaded already. */
export function baseOfLoaded(source: ModelSource, loaded: LoadedModel): NewerBase {
  const { contextLength, embDim } = loaded.model.config;
  const { endIds, tokeniser: own } = loaded;
  const known = knownAs(source, loaded);
  let first: LoadedModel | undefined = loaded;
  const modelOf = ({ model }: LoadedModel) => model.eval() as Exclude<LanguageModel, GPTModel>;
  return {
    ...{ isNewer: true, size: 'newer', contextLength, embDim, endIds },
    name: known ?? source.weights!,
    hub: known ? HUB_MODELS[known].repository : source.weights!,
    tokeniser: own.forWholeTexts(),
    padTokenId: own.special.get(END_OF_TEXT) ?? endIds[0] ?? 0,
    async fresh() {
      const taken = first ?? (await loadSayingItsSizes({ ...source, print: () => {} }))!;
      first = undefined; // what is trained is never given out again
      return modelOf(taken);
    },
  };
}

/**
 * The name of a model from the hub that a file is of, by its sizes, and by whether it has a template for messages. Qwen's base
 * models have one too.
 */
function knownAs({ model }: ModelSource, loaded: LoadedModel) {
  if (isNewerModel(model)) return model;
  const kind = loaded.chatTemplate === undefined ? 'base' : 'instruct';
  return NEWER_MODELS.find((name) => {
    const { sizes, kind: its } = HUB_MODELS[name];
    return its === kind && !name.startsWith('qwen') && sizes.join() === sizesOf(loaded.model).join();
  });
}

/** Weights alone are of the size that they are said to be of; a folder of the hub and a GGUF file say it themselves. */
export function saysItsSizes(path: string): boolean {
  return path.endsWith('.gguf') || io.kindOfPath(io.pathIn(path, 'config.json')) === 'file';
}

/** @throws UserError if it is another model than the one that was asked for */
function ofSize(name: GptName, model: LanguageModel, path: string): GPTModel {
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
