import { UserError } from '../../lib/index.ts';
import {
  END_OF_TEXT,
  END_OF_TEXT_ID,
  gpt2TokenBytes,
  type Tokeniser,
  tokeniser,
} from '../chapter02/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import {
  HUB_MODELS,
  isGpt,
  isNewerModel,
  type LanguageModel,
  type LoadedModel,
  loadModel,
  NEWER_MODELS,
} from '../models/index.ts';
import { obtainHubModel } from '../models/obtain.ts';
import { type GptName, hubName, modelConfig } from './models.ts';
import { type ModelSource, obtainModel, ofSize, saysItsSizes } from './obtain-model.ts';

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
    if (weights === undefined) return loadModel(await obtainHubModel(name, print), { quantised: true });
    const loaded = await loadModel(weights, { quantised: true });
    const [wanted, found] = [HUB_MODELS[name].sizes, sizesOf(loaded.model)];
    if (wanted.join() === found.join()) return loaded;
    throw new UserError(
      `${weights} is not ${name}: it has ${inWords(found)}, and ${name} ${inWords(wanted)}`,
    );
  }
  if (weights === undefined || randomWeights || !saysItsSizes(weights)) return undefined;
  const loaded = await loadModel(weights, { quantised: true });
  if (isGpt(loaded.model)) ofSize(name, loaded.model, weights);
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
  if (loaded && !isGpt(loaded.model)) return baseOfLoaded(source, loaded);
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
