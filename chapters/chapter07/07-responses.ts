import { join } from 'node:path';
import { io, nn, yieldToRuntime } from '../../lib/index.ts';
import type { BaseModel } from '../chapter05/index.ts';
import { shellWord } from '../common/command-line.ts';
import type { Notebook } from '../common/notebook.ts';
import { Progress } from '../common/progress.ts';
import { repr } from '../common/python.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import type { LanguageModel } from '../models/index.ts';
import { formatInput } from './02-preparing-the-dataset.ts';
import { respond, type Tokens } from './05-pretrained-model.ts';

/** An example with what the model answered. The name of the field is the book's, so that its tools can read it. */
export interface AnsweredEntry extends InstructionEntry {
  model_response: string;
  /** What the model answered before it was fine-tuned. */
  base_response?: string;
}

/** Writes the answered entries as JSON, for another program (or reader) to score. */
export async function saveResponses(path: string, entries: readonly AnsweredEntry[]): Promise<void> {
  await io.writeFileAtomically(path, `${JSON.stringify(entries, null, 4)}\n`);
}

/** Answers to the first test examples, the first three shown in full, all of them saved. */
export async function showAnswers(
  nb: Notebook,
  model: LanguageModel,
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

/**
 * Answers to the first test examples without the adapter and with it, one below the other, all of them saved. Without it the
 * model is what it was before the training, to the last bit.
 */
export async function showBeforeAndAfter(
  nb: Notebook,
  model: LanguageModel,
  test: readonly InstructionEntry[],
  options: { maxNewTokens: number; answers: number; folder: string; tokens: Tokens },
): Promise<void> {
  const { maxNewTokens, tokens } = options;
  const asked = test.slice(0, options.answers);
  const progress = new Progress('  answering', 2 * asked.length);
  const answersOf = async (adapter: string | null) => {
    nn.setAdapter(model, adapter);
    const answers: string[] = [];
    for (const entry of asked) {
      answers.push(respond(model, entry, maxNewTokens, tokens));
      progress.update(answers.length + (adapter === null ? 0 : asked.length));
      await yieldToRuntime();
    }
    return answers;
  };
  const [before, after] = [await answersOf(null), await answersOf('default')];
  progress.stop();
  asked.forEach((entry, i) => {
    nb.note(`\n${i + 1}. ${entry.instruction}${entry.input ? `\n   ${entry.input}` : ''}`);
    nb.note(`  wanted  ${onOneLine(entry.output)}`);
    nb.note(`  before  ${onOneLine(before[i])}`);
    nb.note(`  after   ${onOneLine(after[i])}`);
  });
  const path = join(options.folder, 'instruction-data-with-response.json');
  const answered = asked.map((entry, i) => {
    return { ...entry, model_response: after[i], base_response: before[i] };
  });
  await saveResponses(path, answered);
  nb.result(`Answers before and after saved to ${path}`);
}

/** Saves the adapter in PEFT's format, and says how the model is asked with it. */
export async function saveInstructionAdapter(
  nb: Notebook,
  folder: string,
  model: LanguageModel,
  base: Pick<BaseModel, 'hub'>,
  weights: string | undefined,
): Promise<void> {
  const notes = await io.saveAdapter(folder, model, { baseModel: base.hub });
  nb.result(`Adapter saved to ${folder}, in PEFT's format`);
  for (const note of notes) nb.result(note);
  const words = ['npm run generate --', '--adapter', shellWord(folder)];
  if (weights !== undefined) words.push('--weights', shellWord(weights));
  nb.result(`To use it again:  ${[...words, '--instruction "your instruction"'].join(' ')}`);
}

/** As much of an answer as a line has room for. */
function onOneLine(answer: string): string {
  const line = answer.replaceAll(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
