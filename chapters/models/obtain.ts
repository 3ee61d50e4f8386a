import { io, UserError } from '../../lib/index.ts';
import { hubFile } from '../datasets/hub-file.ts';
import { describeHubModel, HUB_MODELS, type HubModelName } from './hub-models.ts';

/** Models from the Hugging Face hub, downloaded once into the cache that Python's huggingface_hub keeps. */

const CONFIG = 'config.json';
const INDEX = 'model.safetensors.index.json';
/** Files that not every model has. */
const OPTIONAL = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json'],
  'chat_template.jinja',
];

/**
 * The folder of a model that has a name here. Its licence is said, and where it is gated, how it is to be had.
 * @throws UserError if it is not in the cache and cannot be downloaded
 */
export async function obtainHubModel(name: HubModelName, print: (line: string) => void): Promise<string> {
  const { repository, licence } = HUB_MODELS[name];
  print(`Model: ${describeHubModel(name)}`);
  try {
    return await obtainHubFolder(repository, print);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const gate = licence.gated
      ? `it is gated, so accept ${licence.name} at https://huggingface.co/${repository} and give a token of that account with HF_TOKEN, or `
      : '';
    throw new UserError(
      `${name} cannot be downloaded (${error.message}): ${gate}give a local copy, a folder of the hub or a GGUF file, with --weights PATH`,
    );
  }
}

/**
 * The folder of a model in the cache.
 * @param repository its name on the hub, e.g. `HuggingFaceTB/SmolLM2-135M-Instruct`
 * @throws UserError if its sizes or its weights are not in the cache and cannot be downloaded
 */
export async function obtainHubFolder(repository: string, print: (line: string) => void): Promise<string> {
  const folder = io.folderOf(await hubFile(repository, CONFIG, print));
  try {
    await hubFile(repository, 'model.safetensors', print);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await hubFile(repository, INDEX, print);
    const { weight_map: places = {} } = io.readJson(io.pathIn(folder, INDEX), 'the weights');
    for (const part of new Set(Object.values(places as Record<string, string>)))
      await hubFile(repository, part, print);
  }
  for (const file of OPTIONAL) await optional(hubFile(repository, file, () => {}));
  return folder;
}

/** The model does without a file that is not there, or that cannot be asked for while the rest is in the cache. */
async function optional(file: Promise<string>): Promise<void> {
  try {
    await file;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof UserError && / answered 404$/.test(error.message);
}
