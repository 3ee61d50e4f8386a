import { io, UserError } from '../../lib/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { type Conditions, inGroup } from '../common/options.ts';
import {
  classesOf,
  isTable,
  joinSpellings,
  type LabelledText,
  type NamedText,
  type Parts,
  readOwnTexts,
  TABLE_ENDINGS,
} from '../datasets/index.ts';
import type { PreparedMessages } from './02-preparing-the-dataset.ts';
import { majorityOf } from './per-class.ts';
import { randomSplit, type Split, stratifiedSplit } from './split.ts';

/** The user's own texts, in any number of classes, in place of the SMS messages. */

/** With a table for each of two parts, all of `--data` is the third. */
export const IS_SPLIT: readonly Conditions[] = [{ validationData: [undefined] }, { testData: [undefined] }];

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
    counts: IS_SPLIT,
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
  const notes: string[] = [];
  const read = async (path: string | undefined) =>
    path === undefined ? [] : await readOwnTexts(path, options, (line) => notes.push(line));
  const joined = joinSpellings([await read(data), await read(validationData), await read(testData)]);
  for (const note of joined.notes) notes.push(note);
  const [all, valid, test] = joined.tables;
  const labels = classesOf(all, data);
  const given = { valid: validationData ? valid : undefined, test: testData ? test : undefined };
  const named = splitWhatIsLeft(all, given, options, seed, notes);
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const trained = new Set(named.train.map(({ label }) => label));
  const number = (rows: readonly NamedText[]): LabelledText[] => {
    if (rows.length === 0) {
      throw new UserError(`${data} has ${all.length} rows, too few for three parts: give at least 10`);
    }
    return rows.map(({ text, label, where }) => {
      if (trained.has(label)) return { text, label: numbers.get(label)! };
      throw new UserError(
        `${where}: there is nothing to learn the class '${label}' from: ` +
          `the training part has ${[...trained].slice(0, 5).join(', ')}`,
      );
    });
  };
  const parts = { train: number(named.train), valid: number(named.valid), test: number(named.test) };
  return { ...ownParts(parts, labels, options), source: data, notes };
}

/** Parts with the user's own classes, and what they hold, in lines. */
export function ownParts(
  parts: Parts<LabelledText[]>,
  labels: readonly string[],
  options: Pick<OwnDataOptions, 'maxLength' | 'contextLength'>,
): Pick<PreparedMessages, 'labels' | 'parts' | 'synthetic' | 'maxLength' | 'found'> {
  const lengths = tokensOf(parts.train);
  const longest = lengths[lengths.length - 1];
  const maxLength = options.maxLength ?? Math.min(longest, options.contextLength ?? longest);
  return {
    ...{ labels, parts, synthetic: false, maxLength },
    found: describe(parts, labels, lengths, maxLength),
  };
}

/** @throws UserError that names a row of a class that has fewer than three texts: each part needs one */
function requireThreeOfEach(distinct: readonly NamedText[]): void {
  const counts = new Map<string, number>();
  for (const { label } of distinct) counts.set(label, (counts.get(label) ?? 0) + 1);
  const rare = distinct.find(({ label }) => counts.get(label)! < 3);
  if (!rare) return;
  const texts = counts.get(rare.label) === 1 ? 'one text' : 'two texts';
  throw new UserError(
    `${rare.where}: the class '${rare.label}' has ${texts}: three different ones are needed, one for each part; ` +
      'add some, or take it out',
  );
}

/**
 * Splits class by class. Copies of a text go where its first occurrence goes: a model that has learnt a text by heart would
 * be praised for it in the test.
 */
function splitByClass(
  all: readonly NamedText[],
  trainFraction: number,
  validationFraction: number,
  seed: number,
  notes: string[],
): Split<NamedText> {
  const first = new Map<string, NamedText>();
  for (const row of all) if (!first.has(row.text.trim())) first.set(row.text.trim(), row);
  const distinct = [...first.values()];
  requireThreeOfEach(distinct);
  const cut = stratifiedSplit(distinct, trainFraction, validationFraction, ({ label }) => label, seed);
  if (distinct.length === all.length) return cut;
  notes.push(
    `${count(all.length - distinct.length)} rows are copies of a text above them: each is put into the part of the first, ` +
      'so that the test part has only texts that are new',
  );
  const withCopies = (part: readonly NamedText[]) => {
    const rows = new Set(part);
    return all.filter(({ text }) => rows.has(first.get(text.trim())!));
  };
  return {
    train: withCopies(cut.train),
    validation: withCopies(cut.validation),
    test: withCopies(cut.test),
  };
}

/** How many texts of the test part are in the training part word for word, in a line; undefined if none is. */
export function copiesInWords({ train, test }: Parts<readonly LabelledText[]>): string | undefined {
  const learnt = new Set(train.map(({ text }) => text.trim()));
  const copies = test.filter(({ text }) => learnt.has(text.trim())).length;
  if (copies === 0) return undefined;
  return `${count(copies)} of the ${count(test.length)} texts of the test part are in the training part too, word for word`;
}

/** How many texts stand under more than one class, in a line; undefined if none does. */
function contradictionsInWords(rows: readonly LabelledText[]): string | undefined {
  const labels = new Map<string, Set<number>>();
  for (const { text, label } of rows)
    labels.set(text.trim(), (labels.get(text.trim()) ?? new Set()).add(label));
  const several = [...labels].filter(([, own]) => own.size > 1);
  if (several.length === 0) return undefined;
  return `${count(several.length)} ${several.length === 1 ? 'text stands' : 'texts stand'} under more than one class: “${shortened(several[0][0], 40)}”`;
}

/** A text in one line, cut to so many characters. */
export function shortened(text: string, most = 100): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

function count(number: number): string {
  return number.toLocaleString('en');
}

/** The parts for which no table is given are cut from the training table. */
function splitWhatIsLeft(
  all: readonly NamedText[],
  { valid, test }: { valid?: readonly NamedText[]; test?: readonly NamedText[] },
  { split = 'stratified' }: OwnDataOptions,
  seed: number,
  notes: string[],
): Parts<readonly NamedText[]> {
  if (valid && test) return { train: all, valid, test };
  const validationFraction = valid ? 0 : 0.1;
  const trainFraction = 1 - validationFraction - (test ? 0 : 0.2);
  const cut =
    split === 'random'
      ? randomSplit(all, trainFraction, validationFraction, seed)
      : splitByClass(all, trainFraction, validationFraction, seed, notes);
  // What is not cut here has a table of its own; its rows stay with the training part.
  return {
    train: [...cut.train, ...(valid ? cut.validation : []), ...(test ? cut.test : [])],
    valid: valid ?? cut.validation,
    test: test ?? cut.test,
  };
}

/** The lengths of the texts in tokens, the shortest first. */
function tokensOf(texts: readonly LabelledText[]): number[] {
  return texts.map(({ text }) => tokeniser.encode(text).length).sort((a, b) => a - b);
}

/** What the parts hold, in lines: rows, classes, lengths, what is cut, and what one could say without looking. */
function describe(
  parts: Parts<LabelledText[]>,
  labels: readonly string[],
  lengths: readonly number[],
  maxLength: number,
): string[] {
  const most = 8;
  const all = [...parts.train, ...parts.valid, ...parts.test];
  const ofClass = (rows: readonly LabelledText[], i: number) =>
    rows.filter(({ label }) => label === i).length;
  const sizes = labels.map((label, i) => `${label} ${count(ofClass(all, i))}`);
  const more = labels.length > most ? ` and ${labels.length - most} more` : '';
  const cut = lengths.filter((length) => length > maxLength).length;
  const at = (share: number) => lengths[Math.floor(share * (lengths.length - 1))];
  const { name, share } = majorityOf(parts.test, labels);
  return [
    `${count(all.length)} rows in ${labels.length} classes: ${sizes.slice(0, most).join(', ')}${more}`,
    `Tokens of a training text: half have up to ${at(0.5)}, nine of ten up to ${at(0.9)}, the longest ${at(1)}`,
    cut === 0
      ? `All are filled up to ${maxLength} tokens; none is cut`
      : `All get ${maxLength} tokens: ${count(cut)} of ${count(lengths.length)} are longer, and their ends are cut off`,
    `Always naming '${name}' would be right for ${(100 * share).toFixed(1)}% of the test part`,
    contradictionsInWords(all),
  ].filter((line) => line !== undefined);
}
