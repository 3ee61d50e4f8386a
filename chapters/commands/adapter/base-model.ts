import { join } from 'node:path';
import { io, type nn, UserError } from '../../../lib/index.ts';
import type { GPTModel } from '../../chapter04/index.ts';
import { hubName, MODEL_NAMES, type ModelName, obtainModel } from '../../chapter05/index.ts';
import { type ClassifierSettings, loadClassifier, readClassifierSettings } from '../../chapter06/index.ts';
import type { OptionSpecs, OptionValues } from '../../common/options.ts';
import { type FileTokeniser, HUB_REPOSITORY, LlamaClassifier, obtainLlama } from '../../llama/index.ts';
import { say } from './program.ts';

/** Which adapter, and the base model where its own configuration does not say. */
export const ADAPTER_OPTIONS = {
  adapter: {
    type: 'path',
    access: 'read',
    help: "the adapter's folder, in PEFT's format, or that of a whole classifier that chapter 6 saved",
    placeholder: 'DIR',
  },
  model: {
    type: 'choice',
    help: 'the base model (default: the one that the adapter names)',
    choices: MODEL_NAMES,
  },
  weights: {
    type: 'path',
    access: 'read',
    help: "the base model's weights, if they are not the model's own",
    placeholder: 'PATH',
  },
} as const satisfies OptionSpecs;

export type AdapterOptions = OptionValues<typeof ADAPTER_OPTIONS>;

export interface LoadedAdapter {
  model: GPTModel;
  name: ModelName;
  folder: string;
  config: io.PeftConfig;
  /** Of a classifier that was trained here. */
  settings: ClassifierSettings | undefined;
}

/**
 * The base model with the adapter on it.
 * @throws UserError if the adapter is missing or damaged, or its base is unknown or a different one
 */
export async function loadWithAdapter({ adapter, model, weights }: AdapterOptions): Promise<LoadedAdapter> {
  const folder = requireAdapter(adapter);
  const settings = readClassifierSettings(folder);
  if (settings?.model !== undefined && io.kindOfPath(join(folder, 'adapter_config.json')) === 'nothing') {
    throw new UserError(
      `${folder} holds a whole classifier, and no adapter: ask it with npm run adapter -- classify, or npm run evaluate`,
    );
  }
  const name = model ?? baseOf(folder, io.readAdapterConfig(folder));
  const base = (await obtainModel({ model: name, weights, print: say })).eval();
  return { model: base, name, folder, ...loadOnto(base, folder) };
}

export interface LoadedLlamaAdapter {
  model: LlamaClassifier;
  tokeniser: FileTokeniser;
  folder: string;
  settings: ClassifierSettings | undefined;
}

/**
 * The same for a Llama, if the adapter is for the one that chapters/llama trains, or the weights are a GGUF file; undefined
 * for another.
 */
export async function loadLlamaWithAdapter(options: AdapterOptions): Promise<LoadedLlamaAdapter | undefined> {
  const folder = requireAdapter(options.adapter);
  const { base } = io.readAdapterConfig(folder);
  const isLlama = lastPart(base) === lastPart(HUB_REPOSITORY) || isLlamaAt(options.weights);
  if (!isLlama || options.model) return undefined;
  const { model, tokeniser, endIds } = await obtainLlama(options.weights, say, { quantised: true });
  const { settings } = loadOnto(model.eval(), folder);
  return {
    model: new LlamaClassifier(model, settings?.padTokenId ?? endIds[0] ?? 0),
    tokeniser,
    folder,
    settings,
  };
}

/** Puts the adapter on its base, with the settings that were saved with it. */
function loadOnto(base: nn.Module, folder: string) {
  return io.readTogether(join(folder, 'adapter_config.json'), () => {
    return { config: io.loadAdapter(folder, base), settings: readClassifierSettings(folder) };
  });
}

/** A classifier that can be asked, whatever was trained of it. */
export type LoadedClassifier =
  | LoadedAdapter
  | LoadedLlamaAdapter
  | { model: GPTModel; folder: string; settings: ClassifierSettings };

/**
 * A classifier from its folder: an adapter with its base model, a GPT or a Llama, or a whole classifier.
 * @throws UserError if a file is missing or damaged, or options for a base are given where there is none
 */
export async function loadAnyClassifier(options: AdapterOptions): Promise<LoadedClassifier> {
  const folder = requireAdapter(options.adapter);
  const settings = readClassifierSettings(folder);
  if (settings?.model === undefined || io.kindOfPath(join(folder, 'adapter_config.json')) !== 'nothing') {
    return (await loadLlamaWithAdapter(options)) ?? (await loadWithAdapter(options));
  }
  const given =
    options.model !== undefined ? '--model' : options.weights !== undefined ? '--weights' : undefined;
  if (given !== undefined)
    throw new UserError(
      `${folder} holds a whole classifier: leave ${given} out, which is for an adapter's base`,
    );
  return { model: loadClassifier(folder, { ...settings, model: settings.model }), folder, settings };
}

/** A GGUF file, or a folder of the hub that says so. */
function isLlamaAt(weights: string | undefined): boolean {
  if (weights === undefined || weights.endsWith('.gguf')) return weights !== undefined;
  const config = io.pathIn(weights, 'config.json');
  return io.kindOfPath(config) === 'file' && io.readJson(config, 'the sizes').model_type === 'llama';
}

/** @throws UserError if none is given */
export function requireAdapter(adapter: string | undefined): string {
  if (adapter === undefined) throw new UserError('no adapter is given: name its folder with --adapter DIR');
  return adapter;
}

/** Which of the models here the adapter was made for, by the name its configuration has. */
export function baseOf(folder: string, { base }: io.PeftConfig): ModelName {
  const known = MODEL_NAMES.find((name) => name === base || lastPart(hubName(name)) === lastPart(base));
  if (known) return known;
  throw new UserError(
    `the adapter in ${folder} is for ${base}, which is none of ${MODEL_NAMES.join(', ')}: ` +
      'say which it is with --model, and with --weights where its weights are',
  );
}

function lastPart(path: string): string | undefined {
  return path.split('/').at(-1);
}
