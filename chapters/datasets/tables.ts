import { extname } from 'node:path';
import { CsvError, parse as parseCsv } from 'csv-parse/sync';
import { firstFew, UserError } from '../../lib/index.ts';
import { columnsOfParquet, readParquet } from './parquet.ts';
import { readText } from './text.ts';

/** Tables from files, whatever wrote them: CSV, TSV, JSON lines, parquet. */

/** A table's columns; a value that is missing is null. */
export interface Table {
  names: readonly string[];
  /** The values of two of its columns, row by row. @throws UserError if one is not there */
  pairs(first: string, second: string): Promise<[unknown, unknown][]>;
}

const READERS: Record<string, (path: string) => Promise<Table>> = {
  '.csv': (path) => readSeparated(path),
  '.tsv': (path) => readSeparated(path, '\t'),
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.parquet': openParquet,
};

/** The endings of files that are tables here. */
export const TABLE_ENDINGS: readonly string[] = Object.keys(READERS);

/** Does a path have the name of a table? */
export function isTable(path: string): boolean {
  return TABLE_ENDINGS.includes(extname(path).toLowerCase());
}

/** @throws UserError if the file is missing, damaged, empty, or of another kind */
export async function openTable(path: string): Promise<Table> {
  const read = READERS[extname(path).toLowerCase()];
  if (!read)
    throw new UserError(`${path} is not a table: a file ending in ${TABLE_ENDINGS.join(', ')} is expected`);
  return read(path);
}

/** Rows with a line of names above them, separated by commas, semicolons or tabs, as a spreadsheet writes them. */
async function readSeparated(path: string, separator?: string): Promise<Table> {
  const text = await readText(path, 'the table');
  const delimiter = separator ?? separatorOf(text);
  let rows: string[][];
  try {
    rows = parseCsv(text, { delimiter, skip_empty_lines: true, relax_column_count: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const why = error.message.replaceAll(/\s+/g, ' ');
    throw new UserError(
      `${path} cannot be read as a table (${why}): a quotation mark inside quotes is written twice`,
    );
  }
  const [names, ...body] = rows;
  const odd = body.findIndex((row) => row.length !== names.length);
  if (odd !== -1) {
    throw new UserError(
      `${path}, row ${odd + 1}: it has ${body[odd].length} fields, and the first line names ${names.length} columns ` +
        `(${firstFew(names)}); put a field with a separator in it between quotation marks`,
    );
  }
  return tableOf(path, names, (name) => {
    const column = names.indexOf(name);
    return body.map((row) => row[column]);
  });
}

/** The separator that occurs most often in the first line. */
function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => line.split(separator).length;
  return [',', ';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best));
}

/** An object on each line; keys that a line does not have are null there. */
async function readJsonLines(path: string): Promise<Table> {
  const text = await readText(path, 'the table');
  const rows: Record<string, unknown>[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw new UserError(`${path}, line ${i + 1}: it is not JSON; one object on each line is expected`);
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new UserError(`${path}, line ${i + 1}: an object such as {"text": …, "label": …} is expected`);
    rows.push(row as Record<string, unknown>);
  }
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return tableOf(path, names, (name) => rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null)));
}

async function openParquet(path: string): Promise<Table> {
  const names = await columnsOfParquet(path, 'the table');
  return {
    names,
    async pairs(first, second) {
      const columns = await readParquet(path, [first, second], 'the table');
      return columns[first].map((value, row) => [value, columns[second][row]]);
    },
  };
}

function tableOf(path: string, names: readonly string[], column: (name: string) => unknown[]): Table {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UserError(`${path}: two columns are called '${twice}'`);
  return {
    names,
    async pairs(first, second) {
      const [a, b] = [column(first), column(second)];
      return a.map((value, row) => [value, b[row]]);
    },
  };
}
