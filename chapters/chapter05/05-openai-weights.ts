import { cat, firstFew, manualSeed, noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';
import type { GPTConfig, GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { START, textToTokenIds, tokenIdsToText } from './01-text-and-loss.ts';
import { generate } from './03-decoding.ts';
import { MODEL_NAMES, type ModelName, modelConfig } from './models.ts';

/**
 * OpenAI's weights for GPT-2 in the layout of the Hugging Face hub, which is that of OpenAI's own code: names such
 * as `h.0.attn.c_attn.weight`, matrices as [in, out] (our Linear keeps [out, in]), query, key and value in one
 * matrix, and no output head, since it is the token embedding again.
 */
export type Weights = Record<string, Tensor>;

/** Our name and OpenAI's for the parts of a block; `matrix` ones have to be transposed. */
const BLOCK_PARTS: readonly { ours: string; theirs: string; matrix?: boolean }[] = [
  { ours: 'norm1.scale', theirs: 'ln_1.weight' },
  { ours: 'norm1.shift', theirs: 'ln_1.bias' },
  { ours: 'att.out_proj.weight', theirs: 'attn.c_proj.weight', matrix: true },
  { ours: 'att.out_proj.bias', theirs: 'attn.c_proj.bias' },
  { ours: 'norm2.scale', theirs: 'ln_2.weight' },
  { ours: 'norm2.shift', theirs: 'ln_2.bias' },
  { ours: 'ff.layers.0.weight', theirs: 'mlp.c_fc.weight', matrix: true },
  { ours: 'ff.layers.0.bias', theirs: 'mlp.c_fc.bias' },
  { ours: 'ff.layers.2.weight', theirs: 'mlp.c_proj.weight', matrix: true },
  { ours: 'ff.layers.2.bias', theirs: 'mlp.c_proj.bias' },
];

const QUERY_KEY_VALUE = ['W_query', 'W_key', 'W_value'];

/** Does a file hold OpenAI's names rather than the notebooks'? */
export function hasOpenAILayout(weights: Weights): boolean {
  return Object.keys(weights).some((name) => /(^|\.)wte\.weight$/.test(name));
}

/** The same weights under the notebooks' names and in our layout, as views where possible. */
function fromOpenAI(weights: Weights, layers: number): Weights {
  // Some files put `transformer.` before each name; masks and the tied head are not weights.
  const given = new Map(
    Object.entries(weights)
      .map(([name, tensor]) => [name.replace(/^transformer\./, ''), tensor] as const)
      .filter(([name]) => !/\.attn\.(bias|masked_bias)$/.test(name) && name !== 'lm_head.weight'),
  );
  const missing: string[] = [];
  const take = (name: string): Tensor | undefined => {
    const tensor = given.get(name);
    if (!tensor) missing.push(name);
    given.delete(name);
    return tensor;
  };
  const ours: Record<string, Tensor | undefined> = {};
  ours['tok_emb.weight'] = take('wte.weight');
  ours['pos_emb.weight'] = take('wpe.weight');
  ours['final_norm.scale'] = take('ln_f.weight');
  ours['final_norm.shift'] = take('ln_f.bias');
  ours['out_head.weight'] = ours['tok_emb.weight'];
  for (let i = 0; i < layers; i++) {
    for (const part of BLOCK_PARTS) {
      const tensor = take(`h.${i}.${part.theirs}`);
      ours[`trf_blocks.${i}.${part.ours}`] = part.matrix ? tensor?.t() : tensor;
    }
    const weight = take(`h.${i}.attn.c_attn.weight`); // [d, 3d]
    const bias = take(`h.${i}.attn.c_attn.bias`); // [3d]
    QUERY_KEY_VALUE.forEach((projection, third) => {
      const d = (bias?.size ?? 0) / 3;
      ours[`trf_blocks.${i}.att.${projection}.weight`] = weight?.narrow(1, third * d, d).t(); // [d, d]
      ours[`trf_blocks.${i}.att.${projection}.bias`] = bias?.narrow(0, third * d, d); // [d]
    });
  }
  if (missing.length > 0 || given.size > 0) {
    const lists = [
      missing.length > 0 && `missing keys: ${firstFew(missing)}`,
      given.size > 0 && `unexpected keys: ${firstFew([...given.keys()])}`,
    ];
    throw new UserError(`the weights do not fit the model: ${lists.filter(Boolean).join(' · ')}`);
  }
  return ours as Weights;
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
  if (hasOpenAILayout(weights)) state = fromOpenAI(weights, gpt.config.nLayers);
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
    const theirs: Record<string, Tensor> = {
      'wte.weight': ours['tok_emb.weight'],
      'wpe.weight': ours['pos_emb.weight'],
      'ln_f.weight': ours['final_norm.scale'],
      'ln_f.bias': ours['final_norm.shift'],
    };
    for (let i = 0; i < gpt.config.nLayers; i++) {
      for (const part of BLOCK_PARTS) {
        const tensor = ours[`trf_blocks.${i}.${part.ours}`];
        theirs[`h.${i}.${part.theirs}`] = part.matrix ? tensor.t() : tensor;
      }
      const all = (what: string) =>
        QUERY_KEY_VALUE.map((name) => ours[`trf_blocks.${i}.att.${name}.${what}`]);
      const { embDim, qkvBias } = gpt.config;
      theirs[`h.${i}.attn.c_attn.weight`] = cat(all('weight'), 0).t(); // 3 × [d, d] → [3d, d] → [d, 3d]
      theirs[`h.${i}.attn.c_attn.bias`] = qkvBias ? cat(all('bias'), 0) : zeros(3 * embDim); // [3d]
    }
    const head = ours['out_head.weight'];
    const isClassifier = gpt.outHead.outFeatures !== gpt.config.vocabSize;
    if (!isClassifier && head.eq(ours['tok_emb.weight']).all().item()) return theirs;
    const whole = Object.entries(theirs).map(([name, tensor]) => [`transformer.${name}`, tensor] as const);
    const name = isClassifier ? 'score' : 'lm_head';
    const bias = ours['out_head.bias'];
    return {
      ...Object.fromEntries(whole),
      [`${name}.weight`]: head,
      ...(bias && { [`${name}.bias`]: bias }),
    };
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
  const known = MODEL_NAMES.find((name) => {
    const { embDim, nLayers, vocabSize } = modelConfig(name);
    return embDim === shape[1] && nLayers === blocks && vocabSize === shape[0];
  });
  return known
    ? `those of ${known}: use --model ${known}`
    : `those of a model of ${shape[0]} tokens, width ${shape[1]} and ${blocks} blocks, not ${config.vocabSize}, ${config.embDim} and ${config.nLayers}`;
}

/** The sizes of the model, under OpenAI's names for them. */
export function showSettings(nb: Notebook, name: ModelName): void {
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
