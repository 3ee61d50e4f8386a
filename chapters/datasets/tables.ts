import { extname } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { columnsOfParquet, readParquet } from './parquet.ts';
import { readSeparated } from './separated.ts';
import { parseJson, readText } from './text.ts';

/** Tables from files, whatever wrote them: CSV, TSV, JSON, JSON lines, parquet. */

/** A row's values of the columns that were asked for, and where in its file it is: `tickets.csv, line 12`. */
export interface Row {
  where: string;
  values: unknown[];
}

/** A table's columns; a value that is missing is null. */
export interface Table {
  names: readonly string[];
  /** What was left out of the file, in words. */
  leftOut?: string;
  /** The values of some of its columns, row by row. @throws UserError if one is not there */
  rows(columns: readonly string[]): Promise<Row[]>;
}

const READERS: Record<string, (path: string) => Promise<Table>> = {
  '.csv': async (path) => openText(path, await readText(path, 'the table')),
  '.tsv': async (path) => openText(path, await readText(path, 'the table'), '\t'),
  '.json': openJson,
  '.jsonl': openJson,
  '.ndjson': openJson,
  '.parquet': openParquet,
};

/** The endings of files that are tables here. */
export const TABLE_ENDINGS: readonly string[] = Object.keys(READERS);

/** Files that hold tables as well, which nobody here can read. */
const SPREADSHEETS = ['.xlsx', '.xls', '.ods', '.numbers'];

/** Has a path the name of a table, or does its file begin as JSON or parquet does? */
export function isTable(path: string): boolean {
  const ending = extname(path).toLowerCase();
  return (
    TABLE_ENDINGS.includes(ending) || SPREADSHEETS.includes(ending) || readerByContent(path) !== undefined
  );
}

/** @throws UserError if the file is missing, damaged, empty, or of another kind */
export async function openTable(path: string): Promise<Table> {
  const ending = extname(path).toLowerCase();
  if (SPREADSHEETS.includes(ending))
    throw new UserError(`${path} is a spreadsheet: save it as CSV in UTF-8, and give that file`);
  const read = READERS[ending] ?? readerByContent(path);
  if (!read)
    throw new UserError(`${path} is not a table: a file ending in ${TABLE_ENDINGS.join(', ')} is expected`);
  return read(path);
}

function readerByContent(path: string): ((path: string) => Promise<Table>) | undefined {
  if (io.kindOfPath(path) !== 'file') return undefined;
  const file = io.openFile(path, 'the data');
  try {
    const start = new TextDecoder().decode(file.read(0, Math.min(100, file.size)));
    if (start.startsWith('PAR1')) return openParquet;
    return beginsAsJson(start) ? openJson : undefined;
  } finally {
    file.close();
  }
}

/** `[{`, or `{"`: no line of names begins so. */
function beginsAsJson(text: string): boolean {
  return /^\s*(\[\s*\{|\{\s*")/.test(text);
}

function openText(path: string, text: string, separator?: string): Table {
  if (beginsAsJson(text)) return tableOfObjects(path, text);
  const { names, leftOut, rows } = readSeparated(path, text, separator);
  requireDifferent(path, names);
  return {
    names,
    leftOut,
    async rows(columns) {
      const places = columns.map((column) => names.indexOf(column));
      return rows.map(({ line, fields }) => ({
        where: `${path}, line ${line}`,
        values: places.map((place) => fields[place]),
      }));
    },
  };
}

async function openJson(path: string): Promise<Table> {
  return tableOfObjects(path, await readText(path, 'the table'));
}

/** A list of objects, or an object on each line; keys that an object does not have are null there. */
function tableOfObjects(path: string, text: string): Table {
  const entries = /^\s*\[\s*(\{|\])/.test(text) ? listOfObjects(path, text) : objectsOnLines(path, text);
  const names = [...new Set(entries.flatMap(({ object }) => Object.keys(object)))];
  return {
    names,
    async rows(columns) {
      return entries.map(({ where, object }) => ({
        where,
        values: columns.map((name) => (Object.hasOwn(object, name) ? object[name] : null)),
      }));
    },
  };
}

interface Entry {
  where: string;
  object: Record<string, unknown>;
}

function listOfObjects(path: string, text: string): Entry[] {
  const list = parseJson(text, path) as unknown[];
  return list.map((object, i) => entryOf(`${path}, entry ${i + 1}`, object));
}

function objectsOnLines(path: string, text: string): Entry[] {
  const entries: Entry[] = [];
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') continue;
    const where = `${path}, line ${i + 1}`;
    let object: unknown;
    try {
      object = JSON.parse(line);
    } catch {
      throw new UserError(
        `${where}: it is not JSON; one object on each line is expected, or a list of objects: [{"text": …, "label": …}, …]`,
      );
    }
    entries.push(entryOf(where, object));
  }
  // What pandas writes if it is not told otherwise: an object for each column.
  const [{ object }] = entries;
  if (entries.length === 1 && Object.values(object).every((value) => typeof value === 'object')) {
    throw new UserError(
      `${path} is an object of columns; a list of objects is expected, as to_json(orient="records") writes it: ` +
        '[{"text": …, "label": …}, …]',
    );
  }
  return entries;
}

function entryOf(where: string, object: unknown): Entry {
  if (typeof object !== 'object' || object === null || Array.isArray(object))
    throw new UserError(`${where}: an object such as {"text": …, "label": …} is expected`);
  return { where, object: object as Record<string, unknown> };
}

async function openParquet(path: string): Promise<Table> {
  const names = await columnsOfParquet(path, 'the table');
  requireDifferent(path, names);
  return {
    names,
    async rows(columns) {
      const found = await readParquet(path, columns, 'the table');
      return found[columns[0]].map((_, row) => ({
        where: `${path}, row ${row + 1}`,
        values: columns.map((name) => found[name][row]),
      }));
    },
  };
}

function requireDifferent(path: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new UserError(`${path}: two columns are called '${twice}'; rename one of them`);
}
