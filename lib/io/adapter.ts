import { checkOptions, checkText, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { activeAdapter, adapterNames, setAdapter } from '../nn/adapters.ts';
import { checkName } from '../nn/lora.ts';
import { Module } from '../nn/module.ts';
import { lazyTensors, numbersOf } from './checkpoint.ts';
import { kindOfPath, pathIn, readTogether, replaceTogether } from './files.ts';
import { parseJsonObject, readJson } from './json.ts';
import { type PeftConfig, parsePeftConfig } from './peft/config.ts';
import type { HubModel } from './peft/layout.ts';
import { addPeftAdapter } from './peft/read.ts';
import { type PeftAdapter, peftAdapter } from './peft/write.ts';
import { readSafetensors } from './safetensors.ts';
import { openSafetensors } from './safetensors-file.ts';
import { writeSafetensors } from './safetensors-write.ts';

/**
 * LoRA adapters on disk. The format is PEFT's (https://huggingface.co/docs/peft, version 0.21): a folder with
 * `adapter_config.json` and `adapter_model.safetensors`, in the names of the base model at Hugging Face.
 */

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';
/** Beside a classifier's adapter: its classes, which are those of no other adapter. */
const CLASSIFIER = 'classifier.json';

/** What is written beside the numbers, and which of several adapters. */
export interface SaveAdapterOptions {
  /** The base model's name on the hub, or its path: what PEFT loads it from, e.g. `openai-community/gpt2`. */
  baseModel: string;
  /** Which adapter; the active one, if not given. */
  name?: string;
  /** Texts of your own that belong to the adapter, by the names that they get in its folder; PEFT leaves them alone. */
  beside?: Record<string, string>;
}

/** An adapter's two files, as bytes: what a browser uploads and downloads. */
export interface AdapterFiles {
  /** `adapter_config.json` */
  config: Uint8Array;
  /** `adapter_model.safetensors` */
  tensors: Uint8Array;
}

/**
 * Writes an adapter as PEFT writes it. A classifier's head goes with it whole, merged with its own update and, behind a
 * layer norm, with its bias worked into it, since GPT-2's `score` has none. An adapter that was there is replaced as a whole,
 * with its `classifier.json`.
 *
 * @returns what the format has no place for, a line each; usually nothing
 * @throws UserError if there is no such adapter, it is merged, or the folder cannot be written
 */
export async function saveAdapter(
  folder: string,
  model: Module,
  options: SaveAdapterOptions,
  ...more: []
): Promise<string[]> {
  noMore('saveAdapter', 3, more);
  checkText(folder, 'the folder', 'saveAdapter');
  const { config, tensors, notes } = adapterFiles(model, options);
  const isReplaced = kindOfPath(pathIn(folder, CONFIG)) === 'file';
  // The configuration first: without it nobody reads the tensors.
  const files = { [CONFIG]: config, [TENSORS]: tensors, ...(isReplaced && { [CLASSIFIER]: null }) };
  await replaceTogether(folder, { ...files, ...options.beside });
  return notes;
}

/** The two files of an adapter as bytes, where `saveAdapter` writes them to a folder. Errors as there. */
export function adapterFiles(
  model: Module,
  options: SaveAdapterOptions,
  ...more: []
): AdapterFiles & {
  /** What the format has no place for, a line each. */
  notes: string[];
} {
  noMore('adapterFiles', 2, more);
  checkOptions('saveAdapter', options ?? {}, ['baseModel', 'name', 'beside']);
  if (typeof options?.baseModel !== 'string') {
    throw new UserError(
      "saveAdapter: the base model's name is needed: { baseModel: 'openai-community/gpt2' }",
    );
  }
  const hubModel = requireHubModel(model);
  const active = activeAdapter(model);
  const name = options.name ?? requireActive(model, active);
  checkName(name);
  // Only while it is active has the model the head that belongs to it.
  const isOther = name !== active && adapterNames(model).includes(name);
  if (isOther) setAdapter(model, name);
  let adapter: PeftAdapter;
  try {
    adapter = peftAdapter(hubModel, name, options.baseModel);
  } finally {
    if (isOther) setAdapter(model, active);
  }
  const { config, tensors, notes } = adapter;
  const stored = Object.entries(tensors).map(([name, tensor]) => [name, numbersOf(tensor)] as const);
  return {
    config: new TextEncoder().encode(JSON.stringify(config, null, 2)),
    tensors: writeSafetensors(stored, { metadata: { format: 'pt' } }),
    notes,
  };
}

/**
 * Reads an adapter that PEFT or `saveAdapter` wrote, puts it on the model beside those that it has, and makes it the
 * active one (see `nn.setAdapter`). One of the same name is replaced. Nothing of the base model is changed.
 *
 * @param options.name what it is called in the model; `default` if not given
 * @returns what its configuration says
 * @throws UserError if it is missing, damaged, not plain LoRA, or of another base; the model is unchanged then
 */
export function loadAdapter(
  folder: string,
  model: Module,
  options: { name?: string } = {},
  ...more: []
): PeftConfig {
  noMore('loadAdapter', 3, more);
  const name = nameFrom(options, 'loadAdapter');
  const hubModel = requireHubModel(model);
  checkText(folder, 'the folder', 'an adapter');
  const path = pathIn(folder, TENSORS);
  const [config, file] = readTogether(pathIn(folder, CONFIG), () => {
    return [readAdapterConfig(folder), openSafetensors(path, 'the adapter')] as const;
  });
  try {
    addPeftAdapter(hubModel, config, lazyTensors(file, path), name);
  } finally {
    file.close();
  }
  return config;
}

/**
 * What an adapter's configuration says, e.g. which base it is for, before there is a model to put it on.
 * @throws UserError if the adapter is missing, damaged, or not plain LoRA
 */
export function readAdapterConfig(folder: string, ...more: []): PeftConfig {
  noMore('readAdapterConfig', 1, more);
  checkText(folder, 'the folder', 'an adapter');
  const path = pathIn(folder, CONFIG);
  return readTogether(path, () => {
    requireFolder(folder);
    return parsePeftConfig(readJson(path, "the adapter's configuration"), path);
  });
}

/** Adds an adapter from the bytes of its two files, as `loadAdapter` does from a folder. */
export function loadAdapterFiles(
  files: AdapterFiles,
  model: Module,
  options: { name?: string } = {},
  ...more: []
): PeftConfig {
  noMore('loadAdapterFiles', 3, more);
  const name = nameFrom(options, 'loadAdapterFiles');
  const areBytes = files?.config instanceof Uint8Array && files.tensors instanceof Uint8Array;
  if (!areBytes)
    throw new UserError(
      `loadAdapterFiles: { config, tensors } is expected, both bytes, not ${inWords(files)}`,
    );
  const config = parsePeftConfig(parseJsonObject(files.config, CONFIG), CONFIG);
  const tensors = lazyTensors(readSafetensors(files.tensors, TENSORS), TENSORS);
  addPeftAdapter(requireHubModel(model), config, tensors, name);
  return config;
}

/** What an adapter is to be called in the model. @throws UserError unless it is a name */
function nameFrom(options: { name?: string }, what: string): string {
  checkOptions(what, options, ['name']);
  const { name = 'default' } = options;
  checkName(name);
  return name;
}

function requireFolder(folder: string): void {
  const kind = kindOfPath(folder);
  const pickle = kindOfPath(pathIn(folder, 'adapter_model.bin')) === 'file';
  if (kind === 'nothing')
    throw new UserError(`cannot read the adapter: ${folder} does not exist; check the path`);
  if (kind === 'file')
    throw new UserError(`cannot read the adapter: ${folder} is a file; give the folder it lies in`);
  if (kindOfPath(pathIn(folder, TENSORS)) === 'file') return;
  throw new UserError(
    pickle
      ? `${folder} holds PyTorch's pickle, adapter_model.bin; save the adapter again with PEFT, as safetensors`
      : `cannot read the adapter: ${folder} has no ${TENSORS}`,
  );
}

function requireHubModel(model: Module): HubModel {
  if (!(model instanceof Module)) throw new UserError(`a module is expected, not ${inWords(model)}`);
  if ('hubLayout' in model && typeof model.hubLayout === 'function') return model as HubModel;
  throw new UserError(
    `${model.constructor.name} does not tell how its layers are called at Hugging Face (hubLayout)`,
  );
}

function requireActive(model: Module, active: string | null): string {
  if (active !== null) return active;
  const names = adapterNames(model);
  throw new UserError(
    names.length > 0
      ? `saveAdapter: no adapter is active; name one of ${names.join(', ')}`
      : 'saveAdapter: the model has no LoRA adapter; make one with nn.replaceLinearWithLoRA',
  );
}
