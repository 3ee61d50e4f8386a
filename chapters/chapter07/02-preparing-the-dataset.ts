import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import type { InstructionEntry } from '../datasets/index.ts';

/**
 * One example of an instruction dataset, and the text that a model is shown of it. The layout is that of Stanford
 * Alpaca (Taori et al. 2023): a fixed opening, then the parts under headings. Any other layout would do, as
 * long as training and use agree on it: the headings are what the model learns to respond to.
 */

const OPENING =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

/** Comes before the answer. */
export const RESPONSE_HEADING = '### Response:';

/** The prompt: everything up to where the answer's heading begins. The input's heading goes if there is no input. */
export function formatInput(entry: Pick<InstructionEntry, 'instruction' | 'input'>): string {
  const instruction = `${OPENING}\n\n### Instruction:\n${entry.instruction}`;
  return entry.input ? `${instruction}\n\n### Input:\n${entry.input}` : instruction;
}

/** The answer under its heading, as it follows the prompt in training. */
export function formatResponse(entry: Pick<InstructionEntry, 'output'>): string {
  return `\n\n${RESPONSE_HEADING}\n${entry.output}`;
}

/** Prompt and answer: the text that is learnt. */
export function formatExample(entry: InstructionEntry): string {
  return formatInput(entry) + formatResponse(entry);
}

/** The parts that a dataset is divided into. */
export interface InstructionParts {
  train: InstructionEntry[];
  valid: InstructionEntry[];
  test: InstructionEntry[];
}

/**
 * The first 85% to train on, the next 10% to test with, and the rest, about 5%, to watch the training by. The
 * order of the file is kept, so the parts are the same in every run.
 */
export function splitEntries(entries: readonly InstructionEntry[]): InstructionParts {
  const train = Math.floor(entries.length * 0.85);
  const test = Math.floor(entries.length * 0.1);
  return {
    train: entries.slice(0, train),
    test: entries.slice(train, train + test),
    valid: entries.slice(train + test),
  };
}

/** Two examples of the data, with and without an input, and how many there are for what. */
export function showData(nb: Notebook, entries: readonly InstructionEntry[]): InstructionParts {
  nb.print(10, 'Number of entries:', entries.length);
  // The book's two examples; of a shorter file, the last entry.
  const [withInput, without] = [entries[50 % entries.length], entries[Math.min(999, entries.length - 1)]];
  nb.print(12, `Example entry:\n ${repr(withInput)}`);
  nb.print(14, `Another example entry:\n ${repr(without)}`);
  nb.print(20, formatInput(withInput) + formatResponse(withInput));
  nb.print(22, formatInput(without) + formatResponse(without));
  const parts = splitEntries(entries);
  nb.print(25, 'Training set length:', parts.train.length);
  nb.print(25, 'Validation set length:', parts.valid.length);
  nb.print(25, 'Test set length:', parts.test.length);
  return parts;
}
