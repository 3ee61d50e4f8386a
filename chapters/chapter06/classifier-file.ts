import { join } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { GPT_NAMES, type GptName } from '../chapter05/models.ts'; // and no more of chapter 5: a page waits for what is imported

/**
 * What is needed to ask a fine-tuned classifier again, and is neither in its weights nor in an adapter's two files, whose
 * format is PEFT's: the names of the classes, the length that its messages had, and whether they were real. PEFT leaves the
 * file alone.
 */
export interface ClassifierSettings {
  /** The classes by their number: `['not spam', 'spam']`. */
  labels: readonly string[];
  /** Tokens that every message is cut or padded to. */
  maxLength: number;
  /** Id of the token that messages are padded with. */
  padTokenId: number;
  /** The model whose sizes it has, where all of its weights are in the folder; absent beside an adapter. */
  model?: GptName;
  /** Was it trained on the synthetic stand-in? Its answers to real messages then mean little. */
  synthetic: boolean;
}

const FILE = 'classifier.json';

/** The file that says so, for `io.saveAdapter` to write `beside` the adapter's own, or `io.saveTensors` beside the weights. */
export function classifierFile(settings: ClassifierSettings): Record<string, string> {
  return { [FILE]: `${JSON.stringify(settings, null, 2)}\n` };
}

/** Writes it into the folder of an adapter, or of weights, that are there. @throws UserError if nothing can be written there */
export async function saveClassifierSettings(folder: string, settings: ClassifierSettings): Promise<void> {
  await io.writeFileAtomically(join(folder, FILE), classifierFile(settings)[FILE]);
}

/** Reads them, if the folder has them. @throws UserError if they do not hold together */
export function readClassifierSettings(folder: string): ClassifierSettings | undefined {
  // Whatever it belongs to, it is the one that was written together with that.
  return io.readTogether(join(folder, 'adapter_config.json'), () =>
    io.readTogether(join(folder, 'model.safetensors'), () => readSettings(join(folder, FILE))),
  );
}

function readSettings(path: string): ClassifierSettings | undefined {
  if (io.kindOfPath(path) === 'nothing') return undefined;
  return parseClassifierSettings(io.readJson(path, "the classifier's settings"), path);
}

/** The same from what the file holds. @param path what messages call it */
export function parseClassifierSettings(settings: Record<string, unknown>, path: string): ClassifierSettings {
  const { labels, maxLength, padTokenId, model, synthetic = false } = settings;
  const isCount = (value: unknown, least: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= least;
  const fault = (what: string) => new UserError(`${path}: ${what}; it may be damaged, so make it again`);
  if (!Array.isArray(labels) || labels.length < 2 || labels.some((label) => typeof label !== 'string'))
    throw fault('labels should be the names of two classes or more');
  if (new Set(labels).size < labels.length) throw fault('two classes have one name');
  if (!isCount(maxLength, 1)) throw fault('maxLength should be a number of tokens, at least 1');
  if (!isCount(padTokenId, 0)) throw fault('padTokenId should be the number of a token');
  if (typeof synthetic !== 'boolean') throw fault('synthetic should be true or false');
  if (model !== undefined && !GPT_NAMES.includes(model as GptName))
    throw fault(`model should be one of ${GPT_NAMES.join(', ')}`);
  return {
    labels,
    maxLength,
    padTokenId,
    synthetic,
    ...(model !== undefined && { model: model as GptName }),
  };
}

/** The line that goes before what such a classifier says. */
export const TRAINED_ON_STAND_IN =
  'This adapter was trained on the synthetic stand-in: its answers to real messages mean little.';
