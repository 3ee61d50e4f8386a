import { join, resolve } from 'node:path';
import { io, nn } from '../../lib/index.ts';
import { GPTModel } from '../chapter04/index.ts';
import { type BaseModel, type GptName, modelConfig } from '../chapter05/index.ts';
import { shellWord } from '../common/command-line.ts';
import type { Notebook } from '../common/notebook.ts';
import type { LanguageModel } from '../models/family.ts';
import { type ClassifierSettings, classifierFile } from './classifier-file.ts';
import type { SpamOptions } from './options.ts';

/**
 * Saves what LoRA has trained in a folder, as PEFT does: A and B of every layer, and the head they were trained with,
 * which is in no other file; beside them the names of the classes and the length of the messages. With the model's own
 * weights, that is all of the fine-tuned classifier.
 */
export async function saveAdapter(
  nb: Notebook,
  folder: string,
  model: LanguageModel,
  base: Pick<SpamOptions, 'weights' | 'randomWeights'> & Pick<BaseModel, 'hub'>,
  settings: ClassifierSettings,
): Promise<void> {
  const beside = classifierFile(settings);
  const notes = await io.saveAdapter(folder, model, { baseModel: base.hub, beside });
  nb.result(`Adapter saved to ${folder}, in PEFT's format`);
  for (const note of notes) nb.result(note);
  if (base.randomWeights)
    nb.result('(It cannot be used again: the random weights it was trained on are in no file.)');
  else nb.result(`To use it again:  ${classifyCommand(folder, base)}`);
}

/**
 * Saves a whole fine-tuned classifier, as the book does: its weights, under the notebooks' names, and beside them all that
 * is needed to ask it again.
 */
export async function saveClassifier(
  nb: Notebook,
  folder: string,
  classifier: GPTModel,
  settings: ClassifierSettings & { model: GptName },
): Promise<void> {
  const beside = classifierFile(settings);
  await io.saveTensors(join(folder, WEIGHTS), classifier.stateDict(), { metadata: { format: 'pt' }, beside });
  nb.result(`Classifier saved to ${folder}: ${WEIGHTS} and classifier.json`);
  nb.result(`To use it again:  ${classifyCommand(folder, {})}`);
}

/**
 * Such a classifier, from its folder.
 * @throws UserError if the weights are missing, damaged or of another model
 */
export function loadClassifier(
  folder: string,
  { model: name, labels }: ClassifierSettings & { model: GptName },
): GPTModel {
  const config = modelConfig(name);
  const model = nn.init.skip(() => {
    const made = new GPTModel(config);
    made.outHead = new nn.Linear(config.embDim, labels.length);
    return made;
  });
  io.withTensors(join(folder, WEIGHTS), 'the weights of the classifier', (weights) =>
    model.loadStateDict(weights),
  );
  return model.eval();
}

/** The file with a whole classifier's weights. */
const WEIGHTS = 'model.safetensors';

/** What to type to ask the classifier about a text. */
export function classifyCommand(folder: string, { weights }: Pick<Partial<SpamOptions>, 'weights'>): string {
  // Paths are read from where the user stands, which npm's own folder need not be.
  const path = (own: string) => shellWord(process.env.INIT_CWD === process.cwd() ? own : resolve(own));
  const words = ['npm run adapter -- classify --adapter', path(folder)];
  if (weights !== undefined) words.push('--weights', path(weights));
  return [...words, '"your message"'].join(' ');
}
