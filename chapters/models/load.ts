import { io, UserError } from '../../lib/index.ts';
import type { LanguageModel } from './family.ts';
import { readFolder, readGgufModel } from './read.ts';
import { type Words, wordsInFolder, wordsInGguf } from './tokeniser.ts';

/** A model with all that belongs to it. */
export interface LoadedModel<Model extends LanguageModel = LanguageModel> extends Words {
  model: Model;
}

/**
 * Where a model is: the path of a GGUF file or of a folder of the hub; or, where there are no paths, a `File` or the bytes
 * of a GGUF file, or the files of a folder by name.
 */
export type ModelSource = string | io.FileContent | Readonly<Record<string, io.FileContent>>;

export interface LoadOptions {
  /**
   * Keeps matrices in their blocks of few bits, as a GGUF file has them: a quarter of the memory or less, and nothing to decode.
   * They do not train; LoRA beside them does, which is QLoRA. F16 and BF16 become float32.
   */
  quantised?: boolean;
}

/**
 * Loads a model with its tokeniser, its chat template and the tokens that end an answer. Every setting of the files is used or
 * refused: the model gives transformers' numbers, and the tokeniser gives its ids.
 *
 * @throws UserError if something is missing, damaged, or of a kind that is not read here: one line that names it
 */
export async function loadModel(
  source: ModelSource,
  { quantised = false }: LoadOptions = {},
): Promise<LoadedModel> {
  if (typeof source === 'string') {
    if (io.kindOfPath(source) === 'folder') {
      const read = () => loadFolder(io.folderOnDisk(source));
      return io.readTogether(io.pathIn(source, 'model.safetensors'), read);
    }
    return loadGgufFile(io.openFile(source, 'the model'), source, quantised);
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob) {
    const name = 'name' in source ? String(source.name) : 'the model';
    return loadGgufFile(await io.openContent(source, name), name, quantised);
  }
  if (typeof source !== 'object' || source === null)
    throw new UserError('loadModel: a path, a File, bytes, or files by name are expected');
  return loadFolder(await io.folderOfContents(source, 'the model'));
}

function loadFolder(folder: io.Folder): LoadedModel {
  const { model, config } = readFolder(folder);
  return { model, ...wordsInFolder(folder, config) };
}

function loadGgufFile(file: io.OpenFile, name: string, quantised: boolean): LoadedModel {
  if (name.endsWith('.safetensors') || name.endsWith('.index.json')) {
    file.close();
    throw new UserError(`${name} has the weights alone: give the folder with config.json beside them`);
  }
  return io.withOpenedGguf(file, name, (gguf) => {
    const words = wordsInGguf(gguf);
    return { model: readGgufModel(gguf, quantised), ...words };
  });
}
