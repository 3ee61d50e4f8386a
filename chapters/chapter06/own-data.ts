import { io, UserError } from '../../lib/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { inGroup } from '../common/options.ts';
import {
  classesOf,
  isTable,
  type LabelledText,
  type NamedText,
  type Parts,
  readOwnTexts,
  TABLE_ENDINGS,
} from '../datasets/index.ts';
import type { PreparedMessages } from './02-preparing-the-dataset.ts';
import { randomSplit, stratifiedSplit } from './split.ts';

/** The user's own texts, in any number of classes, in place of the SMS messages. */

export const OWN_DATA_OPTIONS = inGroup('Data', {
  textColumn: {
    type: 'string',
    help: 'with a table as --data: the column of the texts',
    placeholder: 'NAME',
  },
  labelColumn: { type: 'string', help: 'and the column of their classes', placeholder: 'NAME' },
  validationData: {
    type: 'path',
    access: 'read',
    help: 'a table for the validation part (default: a tenth of --data)',
    placeholder: 'FILE',
  },
  testData: {
    type: 'path',
    access: 'read',
    help: 'a table for the test part (default: a fifth of --data)',
    placeholder: 'FILE',
  },
  split: {
    type: 'choice',
    help: 'how --data is split: class by class (the default for a table), or all rows together as pandas does',
    choices: ['stratified', 'random'],
  },
});

export interface OwnDataOptions {
  data?: string;
  textColumn?: string;
  labelColumn?: string;
  validationData?: string;
  testData?: string;
  split?: 'stratified' | 'random';
  /** Tokens that the model can see: longer texts are cut to that. */
  contextLength?: number;
  /** Tokens per text; the longest training text's, up to what the model can see, if not given. */
  maxLength?: number;
}

/**
 * Is the data the user's own table, rather than the SMS messages?
 * @throws UserError if options for a table are given, and none is
 */
export function isOwnData(options: OwnDataOptions): options is OwnDataOptions & { data: string } {
  const { data } = options;
  const given = (['textColumn', 'labelColumn', 'validationData', 'testData', 'split'] as const).find(
    (name) => options[name] !== undefined,
  );
  // The book calls the collection, whose rows have no names above them, SMSSpamCollection.tsv.
  if (data !== undefined && isTable(data) && (given !== undefined || !isCollection(data))) return true;
  if (given === undefined) return false;
  const flag = given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UserError(
    `--${flag} is for a table: give one as --data, a file ending in ${TABLE_ENDINGS.join(', ')}` +
      (data === undefined ? '' : `, not ${data}`),
  );
}

/** Does a file begin as the SMS Spam Collection does? */
function isCollection(path: string): boolean {
  if (io.kindOfPath(path) !== 'file') return false;
  const file = io.openFile(path, 'the data');
  try {
    return /^(ham|spam)\t/.test(new TextDecoder().decode(file.read(0, Math.min(5, file.size))));
  } finally {
    file.close();
  }
}

/**
 * Reads the table, splits it 70 / 10 / 20, or takes other tables for validation and test, and numbers the classes in
 * the order of their names.
 *
 * @throws UserError if a table cannot be read, is too small, or has a class of which there is nothing to learn from
 */
export async function prepareOwnData(
  options: OwnDataOptions & { data: string },
  seed: number,
): Promise<PreparedMessages> {
  const { data, validationData, testData } = options;
  const all = await readOwnTexts(data, options);
  const labels = classesOf(all, data);
  const valid = validationData === undefined ? undefined : await readOwnTexts(validationData, options);
  const test = testData === undefined ? undefined : await readOwnTexts(testData, options);
  const named = splitWhatIsLeft(all, valid, test, options, seed);
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const trained = new Set(named.train.map(({ label }) => label));
  const number = (rows: readonly NamedText[], path: string): LabelledText[] => {
    if (rows.length === 0)
      throw new UserError(`${data} has ${all.length} rows, too few for three parts: give at least 10`);
    return rows.map(({ text, label }) => {
      if (trained.has(label)) return { text, label: numbers.get(label)! };
      throw new UserError(
        `${path} has the class '${label}', but there is nothing to learn it from: ` +
          `the training part has ${[...trained].slice(0, 5).join(', ')}`,
      );
    });
  };
  const parts: Parts<LabelledText[]> = {
    train: number(named.train, data),
    valid: number(named.valid, validationData ?? data),
    test: number(named.test, testData ?? data),
  };
  const lengths = tokensOf(named.train);
  const longest = lengths[lengths.length - 1];
  const maxLength = options.maxLength ?? Math.min(longest, options.contextLength ?? longest);
  return {
    labels,
    parts,
    source: data,
    synthetic: false,
    maxLength,
    found: describe(all, parts, labels, lengths, maxLength),
  };
}

/** The parts for which no table is given are cut from the training table. */
function splitWhatIsLeft(
  all: readonly NamedText[],
  valid: NamedText[] | undefined,
  test: NamedText[] | undefined,
  { split = 'stratified' }: OwnDataOptions,
  seed: number,
): Parts<readonly NamedText[]> {
  if (valid && test) return { train: all, valid, test };
  const validationFraction = valid ? 0 : 0.1;
  const trainFraction = 1 - validationFraction - (test ? 0 : 0.2);
  const cut =
    split === 'random'
      ? randomSplit(all, trainFraction, validationFraction, seed)
      : stratifiedSplit(all, trainFraction, validationFraction, ({ label }) => label, seed);
  // What is not cut here has a table of its own; its rows stay with the training part.
  return {
    train: [...cut.train, ...(valid ? cut.validation : []), ...(test ? cut.test : [])],
    valid: valid ?? cut.validation,
    test: test ?? cut.test,
  };
}

/** The lengths of the texts in tokens, the shortest first. */
function tokensOf(texts: readonly NamedText[]): number[] {
  return texts.map(({ text }) => tokeniser.encode(text).length).sort((a, b) => a - b);
}

/** What a table holds, in lines: rows, classes, lengths, and what is cut. */
function describe(
  all: readonly NamedText[],
  parts: Parts<LabelledText[]>,
  labels: readonly string[],
  lengths: readonly number[],
  maxLength: number,
): string[] {
  const count = (number: number) => number.toLocaleString('en');
  const most = 8;
  const sizes = labels.map((label) => `${label} ${count(all.filter((row) => row.label === label).length)}`);
  const more = labels.length > most ? ` and ${labels.length - most} more` : '';
  const cut = lengths.filter((length) => length > maxLength).length;
  const at = (share: number) => lengths[Math.floor(share * (lengths.length - 1))];
  const largest = Math.max(...labels.map((_, i) => parts.test.filter(({ label }) => label === i).length));
  return [
    `${count(all.length)} rows in ${labels.length} classes: ${sizes.slice(0, most).join(', ')}${more}`,
    `Tokens of a training text: half have up to ${at(0.5)}, nine of ten up to ${at(0.9)}, the longest ${at(1)}`,
    cut === 0
      ? `All are filled up to ${maxLength} tokens; none is cut`
      : `All get ${maxLength} tokens: ${count(cut)} of ${count(lengths.length)} are longer, and their ends are cut off`,
    `Always naming the most frequent class would be right for ${((100 * largest) / parts.test.length).toFixed(1)}% of the test part`,
  ];
}
