import { createInterface } from 'node:readline';
import { io, UserError } from '../../../lib/index.ts';
import { TRAINED_ON_STAND_IN } from '../../chapter06/index.ts';
import { positionOfLargest } from '../../common/largest.ts';
import { UsageError } from '../../common/options.ts';
import { userPath } from '../../common/paths.ts';
import { readText } from '../../datasets/index.ts';
import { askingOf } from './asking.ts';
import { ADAPTER_OPTIONS, type LoadedClassifier, loadAnyClassifier } from './base-model.ts';
import { defineCommand, say } from './program.ts';

/** `npm run adapter -- classify`: asks a fine-tuned classifier about texts. */
export const CLASSIFY = defineCommand({
  summary:
    'Says which class each text belongs to, and how probable that is.\n' +
    'The texts are the words given, or the lines of a file, or those of standard input.',
  words: '[TEXT … | FILE]',
  options: {
    ...ADAPTER_OPTIONS,
    json: { type: 'boolean', help: 'a line of JSON for each text, with the probabilities of all classes' },
    labels: {
      type: 'string',
      help: 'names of the classes, with commas, where the adapter has none of its own',
      placeholder: 'A,B,…',
    },
  },
  async run(options, words) {
    const given = options.labels === undefined ? undefined : labelsFrom(options.labels);
    const texts = await textsFrom(words);
    const loaded = await loadAnyClassifier(options);
    const classify = classifierOf(loaded, given);
    if (loaded.settings?.synthetic) say(TRAINED_ON_STAND_IN);
    let count = 0;
    for await (const batch of inBatches(texts)) {
      count += batch.length;
      for (const answer of classify(batch))
        console.log(options.json ? JSON.stringify(answer) : lineOf(answer));
    }
    if (count === 0) throw noText();
  },
});

export interface Answer {
  text: string;
  label: string;
  probability: number;
  probabilities: Record<string, number>;
}

/**
 * Asks a classifier about some texts at once.
 * @throws UserError if it is not a classifier, or there are not as many labels as classes
 */
export function classifierOf(
  loaded: LoadedClassifier,
  given?: readonly string[],
): (texts: readonly string[]) => Answer[] {
  const { labels, logitsOf } = askingOf(loaded, given);
  return (texts) => {
    const probabilities = logitsOf(texts).softmax(-1).toArray() as number[][]; // [b, classes]
    return texts.map((text, row) => {
      const best = positionOfLargest(probabilities[row]);
      return {
        text,
        label: labels[best],
        probability: probabilities[row][best],
        probabilities: Object.fromEntries(labels.map((label, i) => [label, probabilities[row][i]])),
      };
    });
  };
}

/** `spam       98.3%  You are a winner …` */
function lineOf({ text, label, probability }: Answer): string {
  return `${label.padEnd(10)} ${`${(100 * probability).toFixed(1)}%`.padStart(6)}  ${text.replaceAll(/\s+/g, ' ')}`;
}

/** `A,B,C` as names. @throws UsageError if one is empty or there twice */
function labelsFrom(list: string): string[] {
  const labels = list.split(',').map((name) => name.trim());
  if (labels.every((name, i) => name !== '' && labels.indexOf(name) === i)) return labels;
  throw new UsageError(`--labels must be different names with commas between, not '${list}'`);
}

/** The words as texts, or a file's lines, or those of standard input; what is empty does not count. A file is read at once. */
async function textsFrom(words: readonly string[]): Promise<AsyncIterable<string> | Iterable<string>> {
  if (words.length === 0) return linesOfInput();
  const path = words.length === 1 ? userPath(words[0], process.env) : '';
  const isFile = path !== '' && io.kindOfPath(path) === 'file';
  const lines = isFile ? (await readText(path)).split(/\r?\n/) : words;
  const texts = lines.filter((line) => line.trim() !== '');
  if (texts.length === 0) throw noText();
  return texts;
}

function noText(): UserError {
  return new UserError('there is no text to classify: give one, or a file with a text on each line');
}

async function* linesOfInput(): AsyncGenerator<string> {
  if (process.stdin.isTTY) say('A text on each line; Ctrl-D ends.');
  for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== '') yield line;
}

/** Texts asked about at once. */
const BATCH = 8;

/** Batches of texts; on a terminal each line is answered as it comes. */
async function* inBatches(texts: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const text of texts) {
    batch.push(text);
    if (batch.length < BATCH && !process.stdin.isTTY) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
