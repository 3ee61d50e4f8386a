import { firstFew, UserError } from '../../lib/index.ts';
import { openTable, type Table } from './tables.ts';

/** The user's own texts with their classes, from a table. */

/** A text and the name of its class. */
export interface NamedText {
  text: string;
  label: string;
  /** Its place in the file: `tickets.csv, line 12`. */
  where: string;
}

/** A word's tokens are found in a time that grows with the square of its length. */
const MOST_LETTERS = 20_000;
const LONG_WORD = new RegExp(`\\S{${MOST_LETTERS + 1}}`);

export interface Columns {
  textColumn?: string;
  labelColumn?: string;
}

/** Names that a column of texts, or of classes, usually has, in lower case. */
const TEXT_NAMES = ['text', 'texts', 'message', 'sentence', 'content', 'review', 'body', 'v2'];
const LABEL_NAMES = ['label', 'labels', 'class', 'category', 'target', 'sentiment', 'intent', 'v1'];

/**
 * The texts of a table and their classes, in the order of its rows. The columns are those named, or those called as
 * such columns usually are. Blanks around the name of a class are no part of it.
 *
 * @param note is told what of the file is left out
 * @throws UserError if the file cannot be read, has no such columns or no rows, or a text or a class is missing
 */
export async function readOwnTexts(
  path: string,
  columns: Columns,
  note: (line: string) => void = () => {},
): Promise<NamedText[]> {
  const table = await openTable(path);
  const textColumn = chooseColumn(path, table, '--text-column', columns.textColumn, TEXT_NAMES);
  const labelColumn = chooseColumn(path, table, '--label-column', columns.labelColumn, LABEL_NAMES);
  if (textColumn === labelColumn)
    throw new UserError(`${path}: column '${textColumn}' cannot be both the texts and the classes`);
  if (table.leftOut) note(`${path}: ${table.leftOut}`);
  const rows = await table.rows([textColumn, labelColumn]);
  if (rows.length === 0) throw new UserError(`${path} has no rows below its names of columns`);
  return rows.map(({ where, values: [text, label] }) => {
    const placeOf = (column: string) => `${where}, column '${column}'`;
    if (typeof text !== 'string') {
      const found = text === null || text === undefined ? 'nothing' : `${JSON.stringify(text)}`;
      throw new UserError(`${placeOf(textColumn)}: a text is expected, not ${found.slice(0, 40)}`);
    }
    if (text.trim() === '')
      throw new UserError(`${placeOf(textColumn)}: the text is empty; fill it in or take the row out`);
    if (LONG_WORD.test(text))
      throw new UserError(
        `${placeOf(textColumn)}: it has a word of more than ${MOST_LETTERS.toLocaleString('en')} characters, which is no text: ` +
          'is it an attachment? Take it out',
      );
    const name = typeof label === 'string' ? label.trim() : label;
    if (!['string', 'number', 'boolean'].includes(typeof name) || name === '') {
      const found = name === null || name === undefined || name === '' ? 'nothing' : JSON.stringify(name);
      throw new UserError(
        `${placeOf(labelColumn)}: the name of a class is expected, not ${found.slice(0, 40)}`,
      );
    }
    if (
      typeof name === 'number' &&
      !Number.isSafeInteger(name) &&
      (Number.isInteger(name) || !Number.isFinite(name))
    )
      throw new UserError(
        `${placeOf(labelColumn)}: a number of this size is not kept exactly, and classes would become one: ` +
          'put it between quotation marks',
      );
    return { text, label: String(name), where };
  });
}

/**
 * Gives classes one name whose names differ only in case, or in blanks within them: the one that occurs most often.
 *
 * @returns the tables, and a line for each class that had several names
 */
export function joinSpellings(tables: readonly (readonly NamedText[])[]): {
  tables: NamedText[][];
  notes: string[];
} {
  const spellings = new Map<string, Map<string, number>>();
  for (const { label } of tables.flat()) {
    const counts = spellings.get(plain(label)) ?? new Map<string, number>();
    spellings.set(plain(label), counts.set(label, (counts.get(label) ?? 0) + 1));
  }
  const names = new Map<string, string>();
  const notes: string[] = [];
  for (const [key, counts] of spellings) {
    const [[name], ...others] = [...counts].sort(([, a], [, b]) => b - a);
    names.set(key, name);
    if (others.length === 0) continue;
    const joined = others.map(([other, count]) => `'${other}' (${count.toLocaleString('en')})`);
    notes.push(
      `One class under several names: ${joined.join(', ')} ${joined.length > 1 ? 'count' : 'counts'} as '${name}'`,
    );
  }
  const renamed = tables.map((texts) =>
    texts.map((each) => ({ ...each, label: names.get(plain(each.label))! })),
  );
  return { tables: renamed, notes };
}

/** Do two names of classes differ in case or blanks alone? */
export function sameName(a: string, b: string): boolean {
  return plain(a.trim()) === plain(b.trim());
}

function plain(label: string): string {
  return label.normalize('NFKC').replaceAll(/\s+/g, ' ').toLowerCase();
}

function chooseColumn(
  path: string,
  { names }: Table,
  option: string,
  wanted: string | undefined,
  usual: readonly string[],
): string {
  const there = `it has ${firstFew(names.map((name) => `'${name}'`)) || 'none'}`;
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new UserError(`${path} has no column '${wanted}'; ${there}`);
  }
  for (const name of usual) {
    const found = names.find((each) => each.trim().toLowerCase() === name);
    if (found !== undefined) return found;
  }
  if (names.length === 1) {
    throw new UserError(
      `${path} has one column, '${names[0].slice(0, 40)}'; two are needed, of texts and of classes, ` +
        'with commas, semicolons, tabs or bars between them',
    );
  }
  throw new UserError(`${path}: which column is it? ${there}; say so with ${option} NAME`);
}

/** More classes than this are not classes any more. */
const MOST_CLASSES = 1000;

/**
 * The classes that there are, in the order of their names, or of their numbers if all are numbers.
 * @throws UserError if there is only one, or so many that it must be the wrong column
 */
export function classesOf(texts: readonly NamedText[], path: string): string[] {
  const names = [...new Set(texts.map(({ label }) => label))];
  if (names.length < 2)
    throw new UserError(
      `${path}: all ${texts.length} rows are of the class '${names[0]}'; at least two classes are needed`,
    );
  if (names.length > MOST_CLASSES || names.length > texts.length / 2) {
    throw new UserError(
      `${path}: ${texts.length} rows have ${names.length} different classes (${firstFew(names)}); ` +
        'is it another column? Name it with --label-column',
    );
  }
  const areNumbers = names.every((name) => /^-?\d+$/.test(name));
  return areNumbers ? names.sort((a, b) => Number(a) - Number(b)) : names.sort((a, b) => (a < b ? -1 : 1));
}
