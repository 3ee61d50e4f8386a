import { UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { formatTable } from '../common/table.ts';
import { GemmaModel } from '../gemma/model/04-gemma-model.ts';
import { GEMMA3 } from '../models/gemma3.ts';
import { type LoadedModel, type LoadOptions, loadModel } from '../models/index.ts';
import { obtainHubFolder } from '../models/obtain.ts';
import { QWEN3 } from '../models/qwen3.ts';
import { placesOf } from '../models/tensors.ts';
import { LlamaModel } from './model/05-llama-model.ts';

/** A model, its tokeniser, the template that makes a conversation one text, and what ends an answer. */
export type LoadedLlama = LoadedModel<LlamaModel>;

/** Where the model is on the Hugging Face hub. */
export const HUB_REPOSITORY = 'HuggingFaceTB/SmolLM2-135M-Instruct';

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

/** The same; without a path SmolLM2-135M-Instruct from the Hugging Face hub, which is kept in its cache. */
export async function obtainLlama(
  path: string | undefined,
  print: (line: string) => void,
  options: LoadOptions = {},
): Promise<LoadedLlama> {
  if (path !== undefined) return loadGguf(path, options);
  print(`Weights: ${HUB_REPOSITORY} on the Hugging Face hub (downloaded once, then kept)`);
  try {
    return await loadGguf(await obtainHubFolder(HUB_REPOSITORY, print), options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${HUB_REPOSITORY} cannot be downloaded (${reason}): give a GGUF file of the Llama family, or a folder in the ` +
        "hub's layout, with --weights PATH",
    );
  }
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
