import { join } from 'node:path';
import { io, type nn, UserError } from '../../../lib/index.ts';
import type { GPTModel } from '../../chapter04/index.ts';
import {
  type BaseModel,
  type GptBase,
  hubName,
  MODEL_NAMES,
  type ModelSource,
  type NewerBase,
  obtainBase,
} from '../../chapter05/index.ts';
import { type ClassifierSettings, loadClassifier, readClassifierSettings } from '../../chapter06/index.ts';
import type { OptionSpecs, OptionValues } from '../../common/options.ts';
import { isNewerModel } from '../../models/index.ts';
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

/** A base model with an adapter on it. */
interface WithAdapter<Base extends BaseModel> {
  model: Awaited<ReturnType<Base['fresh']>>;
  name: Base['name'];
  folder: string;
  config: io.PeftConfig;
  /** Of a classifier that was trained here. */
  settings: ClassifierSettings | undefined;
}

export type LoadedAdapter = WithAdapter<GptBase>;
/** Of another family: with its own tokens. */
export type LoadedNewerAdapter = WithAdapter<NewerBase> &
  Pick<NewerBase, 'tokeniser' | 'endIds' | 'padTokenId'>;

/**
 * The base model, of any family, with the adapter on it.
 * @throws UserError if the adapter is missing or damaged, or its base is unknown or a different one
 */
export async function loadAnyWithAdapter(
  options: AdapterOptions,
): Promise<LoadedAdapter | LoadedNewerAdapter> {
  const { folder, source } = lookAtAdapter(options);
  const base = await obtainBase({ ...source, print: say });
  if (!base.isNewer) {
    const model = await base.fresh();
    return { model, name: base.name, folder, ...loadOnto(model, folder) };
  }
  const model = await base.fresh();
  const { name, tokeniser, endIds, padTokenId } = base;
  return { model, name, tokeniser, endIds, padTokenId, folder, ...loadOnto(model, folder) };
}

/**
 * The same for `mini` and GPT-2's sizes alone.
 * @throws UserError for another family, too, before it is loaded where the options or the adapter say so
 */
export async function loadWithAdapter(options: AdapterOptions): Promise<LoadedAdapter> {
  const { folder } = lookAtGptAdapter(options);
  const loaded = await loadAnyWithAdapter(options);
  if ('tokeniser' in loaded) throw notHandedOver(folder, loaded.name);
  return loaded;
}

function notHandedOver(folder: string, base: string): UserError {
  return new UserError(
    `the adapter in ${folder} is for ${base}, and only those of mini and GPT-2 can be handed over: ` +
      'peft loads it as it is, with its own base',
  );
}

/**
 * What a folder says of its adapter, and where its base is, before anything is loaded.
 * @throws UserError if there is none, or a whole classifier in its place
 */
function lookAtAdapter(options: AdapterOptions) {
  const folder = requireAdapter(options.adapter);
  const settings = readClassifierSettings(folder);
  if (settings?.model !== undefined && io.kindOfPath(join(folder, 'adapter_config.json')) === 'nothing') {
    throw new UserError(
      `${folder} holds a whole classifier, and no adapter: ask it with npm run adapter -- classify, or npm run evaluate`,
    );
  }
  const config = io.readAdapterConfig(folder);
  return { folder, settings, config, source: baseSource(folder, config, options) };
}

/** The same for an adapter of `mini` or of one of GPT-2's sizes. @throws UserError for another family's, too */
export function lookAtGptAdapter(options: AdapterOptions) {
  const { source, ...found } = lookAtAdapter(options);
  const { model: name, weights } = source;
  if (isNewerModel(name)) throw notHandedOver(found.folder, name);
  if (weights !== undefined && isNewerAt(weights)) throw notHandedOver(found.folder, weights);
  return { ...found, name };
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
  | LoadedNewerAdapter
  | { model: GPTModel; folder: string; settings: ClassifierSettings };

/**
 * A classifier from its folder: an adapter with its base model, of any family, or a whole classifier.
 * @throws UserError if a file is missing or damaged, or options for a base are given where there is none
 */
export async function loadAnyClassifier(options: AdapterOptions): Promise<LoadedClassifier> {
  const folder = requireAdapter(options.adapter);
  const settings = readClassifierSettings(folder);
  if (settings?.model === undefined || io.kindOfPath(join(folder, 'adapter_config.json')) !== 'nothing') {
    return loadAnyWithAdapter(options);
  }
  const given =
    options.model !== undefined ? '--model' : options.weights !== undefined ? '--weights' : undefined;
  if (given !== undefined)
    throw new UserError(
      `${folder} holds a whole classifier: leave ${given} out, which is for an adapter's base`,
    );
  return { model: loadClassifier(folder, { ...settings, model: settings.model }), folder, settings };
}

/** @throws UserError if none is given */
export function requireAdapter(adapter: string | undefined): string {
  if (adapter === undefined) throw new UserError('no adapter is given: name its folder with --adapter DIR');
  return adapter;
}

/**
 * Where an adapter's base is: the options say it; or it is a model that has a name here, by the name that the adapter's
 * configuration has; or the files that the configuration names by their path.
 * @throws UserError if nothing says it
 */
export function baseSource(
  folder: string,
  { base }: io.PeftConfig,
  { model, weights }: Pick<AdapterOptions, 'model' | 'weights'>,
): Pick<ModelSource, 'model' | 'weights'> {
  const known = MODEL_NAMES.find((name) => name === base || lastPart(hubName(name)) === lastPart(base));
  // What is given by its path need not be the hub's own, as long as the adapter fits.
  const isElsewhere = weights !== undefined && isNewerModel(known);
  const name = model ?? (isElsewhere ? undefined : known);
  if (name !== undefined) return { model: name, weights };
  const path = weights ?? (io.kindOfPath(base) === 'nothing' ? undefined : base);
  if (path !== undefined && isNewerAt(path)) return { model: 'mini', weights: path };
  throw new UserError(
    `the adapter in ${folder} is for ${base}, which is none of ${MODEL_NAMES.join(', ')}: ` +
      'say which it is with --model, and with --weights where its weights are',
  );
}

/** A GGUF file, or a folder of the hub, of another family than GPT-2's. */
function isNewerAt(path: string): boolean {
  if (path.endsWith('.gguf')) return true;
  const config = io.pathIn(path, 'config.json');
  return io.kindOfPath(config) === 'file' && io.readJson(config, 'the sizes').model_type !== 'gpt2';
}

function lastPart(path: string): string | undefined {
  return path.split('/').at(-1);
}
