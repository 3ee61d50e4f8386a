import { manualSeed, noGrad, randint, tensor, UserError } from '../../lib/index.ts';
import { countParameters, KeyValueCache } from '../chapter04/index.ts';
import { generate } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { type LoadedModel, loadModel } from '../models/index.ts';
import { GemmaModel } from './model/04-gemma-model.ts';
import { GEMMA3_270M, type GemmaConfig } from './model/config.ts';

/** Where the model is on the Hugging Face hub. It asks whoever downloads it to agree to Gemma's terms of use. */
export const HUB_REPOSITORY = 'google/gemma-3-270m';

/** A model, its tokeniser, and what ends a text. */
export type LoadedGemma = LoadedModel<GemmaModel>;

/** @throws UserError if the file is missing, damaged, or of another kind of model */
export async function loadGemma(path: string): Promise<LoadedGemma> {
  const loaded = await loadModel(path, { quantised: true });
  if (loaded.model instanceof GemmaModel) return { ...loaded, model: loaded.model };
  throw new UserError(`${path} is of another family, and a Gemma 3 is expected: npm run llama reads Llamas`);
}

/** Gemma 3 270M made small: every part is there, and nothing has been learnt. */
export const SMALL: GemmaConfig = {
  ...GEMMA3_270M,
  ...{ vocabSize: 100, contextLength: 64, embDim: 32, nHeads: 2, headDim: 24, hiddenDim: 64 },
  ...{ nLayers: 6, window: 8, windowed: [true, true, true, true, true, false] },
};

/** The small one reads a text at once and token by token, with a cache that keeps a window. */
export function showSmallModel(nb: Notebook): void {
  manualSeed(123);
  const model = new GemmaModel(SMALL).eval();
  nb.note(`${countParameters(model).toLocaleString('en')} numbers, all random`);
  const ids = randint(0, SMALL.vocabSize, [1, 40]);
  noGrad(() => {
    const whole = model.forward(ids); // [1, 40, v]
    const cache = new KeyValueCache();
    for (let i = 0; i < 39; i++) model.forward(ids.slice(1, i, i + 1), { past: cache });
    const last = model.forward(ids.slice(1, 39, 40), { past: cache }); // [1, 1, v]
    const apart = last.sub(whole.slice(1, -1)).abs().max().item();
    nb.note(
      `logits of the 40th token, at once and token by token: ${apart < 1e-4 ? 'the same' : 'DIFFERENT'}`,
    );
  });
  nb.note(`The real one: a GGUF file, or a folder of ${HUB_REPOSITORY}, with --weights PATH`);
}

/** What the model makes of the book's own beginning, or of another. It was trained to go on with texts, and not to answer. */
export function showContinuation(
  nb: Notebook,
  { model, tokeniser, endIds }: LoadedGemma,
  { prompt, maxNewTokens }: { prompt: string; maxNewTokens: number },
): void {
  const ids = tensor([[...tokeniser.startIds, ...tokeniser.encode(prompt)]], { dtype: 'int32' }); // [1, t]
  const options = { maxNewTokens, contextSize: model.config.contextLength, eosId: endIds, cache: true };
  const written = generate(model, ids, options).slice(1, ids.shape[1]).toFlatArray() as number[];
  nb.note(prompt + tokeniser.decode(written));
}
