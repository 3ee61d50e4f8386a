import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { formatTable } from '../common/table.ts';
import { GemmaModel } from '../gemma/model/04-gemma-model.ts';
import { GEMMA3 } from '../models/gemma3.ts';
import { type LoadedModel, type LoadOptions, loadModel, type NewerModelName } from '../models/index.ts';
import { obtainHubModel } from '../models/obtain.ts';
import { QWEN3 } from '../models/qwen3.ts';
import { placesOf } from '../models/tensors.ts';
import { LlamaModel } from './model/05-llama-model.ts';

/** A model, its tokeniser, the template that makes a conversation one text, and what ends an answer. */
export type LoadedLlama = LoadedModel<LlamaModel>;

/**
 * A Llama from a GGUF file, llama.cpp's format: sizes, weights, tokeniser and template in one; or from a folder in the
 * hub's layout. models/llama.ts has the names of both, and models/read.ts the one rule for what they say.
 * @throws UserError if it is missing, damaged, or another kind of model
 */
export async function loadGguf(path: string, options: LoadOptions = {}): Promise<LoadedLlama> {
  const loaded = await loadModel(path, options);
  if (loaded.model instanceof LlamaModel) return { ...loaded, model: loaded.model };
  throw new UserError(`${path} holds a GPT-2, and a Llama is expected: GPT-2's chapters are 4 to 7`);
}

/** The same; without a path one from the Hugging Face hub, by its name, which is kept in the hub's cache. */
export async function obtainLlama(
  path: string | undefined,
  print: (line: string) => void,
  { model = 'smollm2-135m', ...options }: LoadOptions & { model?: NewerModelName } = {},
): Promise<LoadedLlama> {
  return loadGguf(path ?? (await obtainHubModel(model, print)), options);
}

/** What the tensors of the first block are called here, on the hub and in GGUF. */
export function showLayouts(nb: Notebook, model: LlamaModel): void {
  // Qwen3 has Llama's names and two more.
  const names = model instanceof GemmaModel ? GEMMA3.gguf : QWEN3.gguf;
  const rows = placesOf(model).flatMap(({ theirs, ours }) => {
    const layer = theirs.replace('.0.', '.N.').replace(/\.weight$/, '');
    if (!layer.startsWith('model.layers.N.')) return [];
    return [[ours[0].path, theirs, `${names[layer].replace('.N.', '.0.')}.weight`]];
  });
  nb.note(formatTable(['here', 'on the hub', 'in GGUF'], rows));
}
