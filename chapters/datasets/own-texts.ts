import { firstFew, UserError } from '../../lib/index.ts';
import { openTable, type Table } from './tables.ts';

/** The user's own texts with their classes, from a table. */

/** A text and the name of its class. */
export interface NamedText {
  text: string;
  label: string;
}

export interface Columns {
  textColumn?: string;
  labelColumn?: string;
}

/** Names that a column of texts, or of classes, usually has, in lower case. */
const TEXT_NAMES = ['text', 'texts', 'message', 'sentence', 'content', 'review', 'body', 'v2'];
const LABEL_NAMES = ['label', 'labels', 'class', 'category', 'target', 'sentiment', 'intent', 'v1'];

/**
 * The texts of a table and their classes, in the order of its rows. The columns are those named, or those called as
 * such columns usually are.
 *
 * @throws UserError if the file cannot be read, has no such columns or no rows, or a text or a class is missing
 */
export async function readOwnTexts(path: string, columns: Columns): Promise<NamedText[]> {
  const table = await openTable(path);
  const textColumn = chooseColumn(path, table, '--text-column', columns.textColumn, TEXT_NAMES);
  const labelColumn = chooseColumn(path, table, '--label-column', columns.labelColumn, LABEL_NAMES);
  if (textColumn === labelColumn)
    throw new UserError(`${path}: column '${textColumn}' cannot be both the texts and the classes`);
  const pairs = await table.pairs(textColumn, labelColumn);
  if (pairs.length === 0) throw new UserError(`${path} has no rows below its names of columns`);
  return pairs.map(([text, label], row) => {
    const where = (column: string) => `${path}, row ${row + 1}, column '${column}'`;
    if (typeof text !== 'string') {
      const found = text === null || text === undefined ? 'nothing' : `${JSON.stringify(text)}`;
      throw new UserError(`${where(textColumn)}: a text is expected, not ${found.slice(0, 40)}`);
    }
    if (text.trim() === '')
      throw new UserError(`${where(textColumn)}: the text is empty; fill it in or take the row out`);
    if (!['string', 'number', 'boolean'].includes(typeof label) || label === '') {
      const found = label === null || label === undefined || label === '' ? 'nothing' : JSON.stringify(label);
      throw new UserError(
        `${where(labelColumn)}: the name of a class is expected, not ${found.slice(0, 40)}`,
      );
    }
    return { text, label: String(label) };
  });
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
