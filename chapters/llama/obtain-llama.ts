import { io, UserError } from '../../lib/index.ts';
import { hubFile } from '../datasets/index.ts';
import { type LoadedLlama, type LoadOptions, loadGguf } from './07-gguf.ts';
import { HUB_FILES, loadHubFolder } from './08-hub-folder.ts';

/** Where the model is on the Hugging Face hub. */
export const HUB_REPOSITORY = 'HuggingFaceTB/SmolLM2-135M-Instruct';

/**
 * A Llama from a GGUF file or a folder in the hub's layout, or SmolLM2-135M-Instruct from the Hugging Face hub, kept in its
 * cache. A file's matrices may stay quantised; those of a folder are float32.
 * @throws UserError if it is missing, damaged or another kind of model, or cannot be downloaded
 */
export async function obtainLlama(
  path: string | undefined,
  print: (line: string) => void,
  options: LoadOptions = {},
): Promise<LoadedLlama> {
  const place = path ?? (await downloadModel(print));
  return io.kindOfPath(place) === 'folder' ? loadHubFolder(place) : loadGguf(place, options);
}

/** The folder in the hub's cache. */
async function downloadModel(print: (line: string) => void): Promise<string> {
  print(`Weights: ${HUB_REPOSITORY} on the Hugging Face hub (downloaded once, then kept)`);
  let folder = '';
  for (const file of HUB_FILES) {
    try {
      folder = io.folderOf(await hubFile(HUB_REPOSITORY, file, print));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError(
        `${HUB_REPOSITORY} cannot be downloaded (${reason}): give a GGUF file of the Llama family, or a folder in the ` +
          "hub's layout, with --weights PATH",
      );
    }
  }
  return folder;
}
