import { io, tensor, UserError } from '../../lib/index.ts';
import { generateSteps } from '../chapter05/index.ts';
import { classProbabilities } from '../chapter06/08-spam-classifier.ts';
import { type ClassifierSettings, parseClassifierSettings } from '../chapter06/classifier-file.ts';
import { classifierOf } from '../chapter06/newer-models.ts';
import { chatToIds, type LoadedModel, type Message } from '../models/index.ts';

/**
 * `llms-from-scratch-ts/models`: what was trained, asked in one's own program, in Node and in a worker.
 *
 *      const loaded = await loadModel('base');                          // a folder of the hub, or a GGUF file; or a File
 *      const classifier = await loadAdapter(loaded, 'runs/adapter');    // PEFT's two files, and classifier.json
 *      console.log(classify(loaded, ['You are a winner!'], classifier));
 */
export {
  chatToIds,
  type LanguageModel,
  type LoadedModel,
  type LoadOptions,
  loadModel,
  type Message,
  type ModelSource,
} from '../models/index.ts';
export type { ClassifierSettings };

/** Files by name, as a page is given them. */
export type AdapterContents = Readonly<Record<string, io.FileContent>>;

/**
 * Puts an adapter in PEFT's format on a model, and makes it the active one.
 * @param source the path of its folder, or its files by name
 * @returns what a classifier that was trained here is to be asked with; undefined for another adapter
 * @throws UserError if it is missing, damaged or of another base; the model is unchanged then
 */
export async function loadAdapter(
  { model }: LoadedModel,
  source: string | AdapterContents,
): Promise<ClassifierSettings | undefined> {
  const folder =
    typeof source === 'string' ? io.folderOnDisk(source) : await io.folderOfContents(source, 'the adapter');
  const about = 'classifier.json';
  const settings = folder.has(about)
    ? parseClassifierSettings(
        io.readJsonIn(folder, about, "the classifier's settings"),
        io.nameIn(folder, about),
      )
    : undefined;
  if (typeof source === 'string') io.loadAdapter(source, model);
  else {
    const read = (file: string) => {
      const opened = folder.open(file, 'the adapter');
      return opened.read(0, opened.size);
    };
    const [config, tensors] = ['adapter_config.json', 'adapter_model.safetensors'].map(read);
    io.loadAdapterFiles({ config, tensors }, model);
  }
  return settings;
}

/** What a classifier says of a text. */
export interface Answer {
  text: string;
  label: string;
  /** Of that label, from 0 to 1. */
  probability: number;
  probabilities: Record<string, number>;
}

/**
 * Asks a classifier about texts.
 * @param settings of `loadAdapter`; or, for an adapter from elsewhere, the names of its classes
 * @throws UserError if the model is no classifier, or has another number of classes
 */
export function classify(
  { model, tokeniser, endIds }: LoadedModel,
  texts: readonly string[],
  settings: ClassifierSettings | { labels: readonly string[] } | undefined,
): Answer[] {
  const { outFeatures: classes } = model.outHead;
  const labels = settings?.labels ?? Array.from({ length: classes }, (_, i) => `LABEL_${i}`);
  if (classes === model.config.vocabSize)
    throw new UserError('the model is no classifier: load the adapter of one with loadAdapter');
  if (labels.length !== classes)
    throw new UserError(`the classifier has ${classes} classes, not ${labels.length}: ${labels.join(', ')}`);
  const own = settings && 'maxLength' in settings ? settings : undefined;
  const padTokenId = own?.padTokenId ?? endIds[0] ?? 0;
  const classifier = classifierOf(model, padTokenId);
  const ofWholeTexts = tokeniser.forWholeTexts();
  return texts.map((text) => {
    // Where nothing says how long a text was made, nothing is padded.
    const length = Math.min(model.config.contextLength, Math.max(1, ofWholeTexts.encode(text).length));
    const maxLength = own?.maxLength ?? length;
    const [row] = classProbabilities([text], classifier, { maxLength, tokeniser: ofWholeTexts, padTokenId });
    const best = row.indexOf(Math.max(...row));
    const probabilities = Object.fromEntries(labels.map((label, i) => [label, row[i]]));
    return { text, label: labels[best], probability: row[best], probabilities };
  });
}

/** How a text is continued. */
export interface GenerateOptions {
  /** 100. */
  maxNewTokens?: number;
  /** 0, the default, takes the most likely token each time; above it, draws: the higher, the more evenly. */
  temperature?: number;
  /** Draws among the k most likely tokens only. */
  topK?: number;
}

/**
 * Continues a text, or answers a conversation where messages are given.
 * @returns what comes after it
 * @throws UserError if there is nothing to continue, or the model has no template for messages
 */
export function generate(
  loaded: LoadedModel,
  prompt: string | readonly Message[],
  { maxNewTokens = 100, temperature, topK }: GenerateOptions = {},
): string {
  const { model, tokeniser, endIds } = loaded;
  const begun = typeof prompt === 'string';
  const written = begun ? tokeniser.encode(prompt) : chatToIds(loaded, prompt);
  if (written.length === 0) throw new UserError('there is nothing to continue: give at least one word');
  const ids = begun ? [...tokeniser.startIds, ...written] : written;
  const steps = generateSteps(model, tensor([ids], { dtype: 'int32' }), {
    ...{ maxNewTokens, contextSize: model.config.contextLength, eosId: endIds, cache: true },
    ...{ temperature, topK },
  });
  return tokeniser.decode(Array.from(steps, (next) => next.item()));
}
