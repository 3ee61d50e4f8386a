import { join } from 'node:path';
import { io } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { Progress } from '../common/progress.ts';
import { repr } from '../common/python.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatInput } from './02-preparing-the-dataset.ts';
import { respond } from './05-pretrained-model.ts';

/** An example with what the model answered. The name of the field is the book's, so that its tools can read it. */
export interface AnsweredEntry extends InstructionEntry {
  model_response: string;
}

/** Writes the answered entries as JSON, for another program (or reader) to score. */
export async function saveResponses(path: string, entries: readonly AnsweredEntry[]): Promise<void> {
  await io.writeFileAtomically(path, `${JSON.stringify(entries, null, 4)}\n`);
}

/** Answers to the first test examples, the first three shown in full, all of them saved. */
export async function showAnswers(
  nb: Notebook,
  model: GPTModel,
  test: readonly InstructionEntry[],
  options: { maxNewTokens: number; answers: number; folder: string },
): Promise<void> {
  const asked = test.slice(0, options.answers);
  const answered: AnsweredEntry[] = [];
  const progress = new Progress('  answering', asked.length);
  const start = performance.now();
  for (const entry of asked) {
    const response = respond(model, entry, options.maxNewTokens);
    answered.push({ ...entry, model_response: response });
    progress.update(answered.length);
    if (answered.length > 3) continue;
    nb.print(96, formatInput(entry));
    nb.print(96, `\nCorrect response:\n>> ${entry.output}`);
    nb.print(96, `\nModel response:\n>> ${response}`);
    nb.print(96, '-------------------------------------');
  }
  progress.stop();
  const seconds = (performance.now() - start) / 1000;
  nb.print(98, `${answered.length}/${test.length} answered, ${(answered.length / seconds).toFixed(2)}it/s`);
  nb.print(100, repr(answered[0]));
  const path = join(options.folder, 'instruction-data-with-response.json');
  await saveResponses(path, answered);
  nb.result(`Answers saved to ${path}`);
}
