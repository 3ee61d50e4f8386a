import { manualSeed, noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';
import type { GPTConfig, GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { findTensors, placesOf, stateFrom, tensorsForHub } from '../models/tensors.ts';
import { START, textToTokenIds, tokenIdsToText } from './01-text-and-loss.ts';
import { generate } from './03-decoding.ts';
import { GPT_NAMES, type GptName, modelConfig } from './models.ts';

/**
 * OpenAI's weights for GPT-2 in the layout of the Hugging Face hub, which is that of OpenAI's own code: names such
 * as `h.0.attn.c_attn.weight`, matrices as [in, out] (our Linear keeps [out, in]), query, key and value in one
 * matrix, and no output head, since it is the token embedding again.
 */
export type Weights = Record<string, Tensor>;

/** Does a file hold OpenAI's names rather than the notebooks'? */
function hasOpenAILayout(weights: Weights): boolean {
  return Object.keys(weights).some((name) => /(^|\.)wte\.weight$/.test(name));
}

/** The head, and the token embedding that is the head too where a file has none. */
const TIED = ['lm_head.weight', 'transformer.wte.weight'] as const;

/** The same weights under the notebooks' names and in our layout, as views where possible. */
function fromOpenAI(weights: Weights, gpt: GPTModel): Weights {
  const places = placesOf(gpt); // each tensor there, with what it is here (models/tensors.ts)
  const shapes = new Map(Object.entries(weights).map(([name, { shape }]) => [name, shape]));
  const tied = weights['lm_head.weight'] ? undefined : TIED;
  const names = findTensors(places, shapes, { file: 'the file of weights', tied });
  return stateFrom(places, names, weights);
}

/**
 * Fills a model with weights in OpenAI's layout or the notebooks'. A file without `out_head.weight` ties it to the
 * token embedding, as GPT-2 does.
 * @throws UserError that names every missing and unexpected key and every wrong shape; the model is then unchanged.
 */
export function loadWeightsIntoGpt(gpt: GPTModel, weights: Weights): void {
  const other = whatElse(weights, gpt.config);
  if (other) throw new UserError(`the weights do not fit the model: they are ${other}`);
  let state: Weights;
  if (hasOpenAILayout(weights)) state = fromOpenAI(weights, gpt);
  else {
    // The notebooks register the causal mask as a buffer: a constant, not a weight.
    state = Object.fromEntries(Object.entries(weights).filter(([name]) => !name.endsWith('.att.mask')));
    if (state['tok_emb.weight']) state['out_head.weight'] ??= state['tok_emb.weight'];
  }
  gpt.loadStateDict(state);
}

/**
 * A model's weights in the layout of the hub, as new tensors: the way back. A language model's are named as OpenAI's are
 * there; a head that is not the token embedding again, or a classifier's, needs the names of transformers' whole
 * model, with `transformer.` in front of the others.
 */
export function toOpenAI(gpt: GPTModel): Weights {
  return noGrad(() => {
    const ours = gpt.stateDict();
    const theirs = tensorsForHub(gpt);
    const { embDim, nLayers, qkvBias } = gpt.config;
    // OpenAI's projections have biases, of which ours may be without.
    for (let i = 0; i < nLayers && !qkvBias; i++)
      theirs[`transformer.h.${i}.attn.c_attn.bias`] = zeros(3 * embDim);
    const isClassifier = gpt.outHead.outFeatures !== gpt.config.vocabSize;
    if (isClassifier || !ours['out_head.weight'].eq(ours['tok_emb.weight']).all().item()) return theirs;
    const { 'lm_head.weight': _, ...rest } = theirs;
    const short = (name: string) => name.replace(/^transformer\./, '');
    return Object.fromEntries(Object.entries(rest).map(([name, tensor]) => [short(name), tensor]));
  });
}

/** What the weights are and what to do, where they are recognisably not those of the model that was asked for. */
function whatElse(weights: Weights, config: GPTConfig): string | null {
  const names = Object.keys(weights);
  const some = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (some(/lora_[AB]\.|\.lora\.[AB]$/))
    return 'a LoRA adapter: give the base model here, and the adapter with --adapter';
  if (some(/layers\.\d+\.self_attn\./)) return 'those of a Llama, not of a GPT-2: use npm run llama';
  if (some(/^(bert|encoder|decoder)\./)) return 'those of another kind of model, not of a GPT-2';
  const shape = (weights['tok_emb.weight'] ?? weights['wte.weight'] ?? weights['transformer.wte.weight'])
    ?.shape;
  if (shape?.length !== 2 || (shape[1] === config.embDim && shape[0] === config.vocabSize)) return null;
  const blocks = new Set(names.flatMap((name) => /(?:^|\.)(?:h|trf_blocks)\.(\d+)\./.exec(name)?.[1] ?? []))
    .size;
  const known = GPT_NAMES.find((name) => {
    const { embDim, nLayers, vocabSize } = modelConfig(name);
    return embDim === shape[1] && nLayers === blocks && vocabSize === shape[0];
  });
  return known
    ? `those of ${known}: use --model ${known}`
    : `those of a model of ${shape[0]} tokens, width ${shape[1]} and ${blocks} blocks, not ${config.vocabSize}, ${config.embDim} and ${config.nLayers}`;
}

/** The sizes of the model, under OpenAI's names for them. */
export function showSettings(nb: Notebook, name: GptName): void {
  const { vocabSize, contextLength, embDim, nHeads, nLayers } = modelConfig(name);
  const settings = {
    n_vocab: vocabSize,
    n_ctx: contextLength,
    n_embd: embDim,
    n_head: nHeads,
    n_layer: nLayers,
  };
  const pairs = Object.entries(settings).map(([key, value]) => `${repr(key)}: ${value}`);
  nb.print(134, `Settings: {${pairs.join(', ')}}`);
}

/** The model with OpenAI's weights: a corner of its token embedding, and what it makes of a beginning. */
export function showOpenAIModel(nb: Notebook, model: GPTModel): void {
  const { weight } = model.tokEmb;
  nb.print(136, corners(weight));
  nb.print(136, `Token embedding weight tensor dimensions: (${weight.shape.join(', ')})`);

  manualSeed(123);
  const ids = generate(model, textToTokenIds(START), {
    maxNewTokens: 25,
    contextSize: model.config.contextLength,
    topK: 50,
    temperature: 1.5,
  });
  nb.print(145, `Output text:\n ${tokenIdsToText(ids)}`);
}

/** The first and last three rows and columns of a matrix, as NumPy prints them: up to eight decimals. */
function corners(matrix: Tensor): string {
  const [rows, columns] = matrix.shape;
  const shown = (length: number) => [0, 1, 2, length - 3, length - 2, length - 1];
  const lines = shown(rows).map((row) => {
    const values = matrix.select(0, row).toFlatArray() as number[];
    const numbers = shown(columns).map((column) => String(Number(values[column].toFixed(8))));
    return `[${numbers.slice(0, 3).join(' ')} ... ${numbers.slice(3).join(' ')}]`;
  });
  return `[${lines.slice(0, 3).join('\n ')}\n ...\n ${lines.slice(3).join('\n ')}]`;
}
