import { resolve } from 'node:path';
import { io } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import { hubName } from '../chapter05/index.ts';
import { shellWord } from '../common/command-line.ts';
import type { Notebook } from '../common/notebook.ts';
import { type ClassifierSettings, saveClassifierSettings } from './classifier-file.ts';
import type { SpamOptions } from './options.ts';

/**
 * Saves what LoRA has trained in a folder, as PEFT does: A and B of every layer, and the head they were trained with,
 * which is in no other file; beside them the names of the classes and the length of the messages. With the model's own
 * weights, that is all of the fine-tuned classifier.
 */
export async function saveAdapter(
  nb: Notebook,
  folder: string,
  model: GPTModel,
  base: Pick<SpamOptions, 'model' | 'weights' | 'randomWeights'>,
  settings: ClassifierSettings,
): Promise<void> {
  const notes = await io.saveAdapter(folder, model, { baseModel: hubName(base.model) });
  await saveClassifierSettings(folder, settings);
  nb.result(`Adapter saved to ${folder}, in PEFT's format`);
  for (const note of notes) nb.result(note);
  if (base.randomWeights)
    nb.result('(It cannot be used again: the random weights it was trained on are in no file.)');
  else nb.result(`To use it again:  ${classifyCommand(folder, base)}`);
}

/** What to type to ask the classifier about a text. */
export function classifyCommand(folder: string, { weights }: Pick<SpamOptions, 'weights'>): string {
  // Paths are read from where the user stands, which npm's own folder need not be.
  const path = (own: string) => shellWord(process.env.INIT_CWD === process.cwd() ? own : resolve(own));
  const words = ['npm run adapter -- classify --adapter', path(folder)];
  if (weights !== undefined) words.push('--weights', path(weights));
  return [...words, '"your message"'].join(' ');
}
