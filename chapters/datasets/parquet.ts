/** Columns of parquet files, as pandas and every other tool write and read them. */

import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { io, UserError } from '../../lib/index.ts';
import { checkPages } from './parquet-pages.ts';
import type { Levels } from './parquet-runs.ts';

/** A column to write. */
export type ParquetColumn =
  | { name: string; type: 'int64'; data: ArrayLike<number> }
  | { name: string; type: 'string'; data: readonly string[] };

/**
 * Reads the named columns, each as an array with one entry per row. 64-bit integers come as plain numbers;
 * a missing value comes as null.
 *
 * @throws UserError if the file is missing or damaged, lacks a column, or holds an integer beyond 2⁵³
 */
export async function readParquet<Name extends string>(
  path: string,
  columns: readonly Name[],
  what = 'the parquet file',
): Promise<Record<Name, unknown[]>> {
  const file = await readWhole(path, what);
  const present = columnsIn(file, path, columns);
  for (const name of columns) {
    if (!present.includes(name)) {
      throw new UserError(`${path} has no column '${name}'; its columns are ${present.join(', ') || 'none'}`);
    }
  }
  const parsers = { stringFromBytes: textFrom };
  const rows = await parquetReadObjects({ file, columns: [...columns], compressors, parsers }).catch(
    (error) => {
      throw damaged(path, error);
    },
  );
  return Object.fromEntries(
    columns.map((name) => [name, rows.map((row) => plainNumber(row[name], path, name))]),
  ) as Record<Name, unknown[]>;
}

/** The reader's own would put a mark in the place of a damaged letter. Missing texts have no bytes. */
function textFrom(bytes: Uint8Array | undefined): string | undefined {
  return bytes && UTF8.decode(bytes);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The names of a file's columns. @throws UserError if it is missing or damaged */
export async function columnsOfParquet(path: string, what: string): Promise<string[]> {
  return columnsIn(await readWhole(path, what), path);
}

/** The names of all columns; those that will be read are looked at more closely. */
function columnsIn(file: ArrayBuffer, path: string, read: readonly string[] = []): string[] {
  return orDamaged(path, () => {
    const metadata = parquetMetadata(file);
    requireSameCounts(metadata);
    const schema = parquetSchema(metadata);
    for (const { meta_data: column } of metadata.row_groups.flatMap(({ columns }) => columns)) {
      if (!column) continue;
      const isRead = read.includes(column.path_in_schema[0]);
      checkPages(file, column, MOST_ROWS, isRead ? levelsOf(column, schema) : undefined);
    }
    const names: unknown[] = schema.children.map((child) => child.element.name);
    if (!names.every((name) => typeof name === 'string')) throw new Error('a column has no name');
    return names;
  });
}

function levelsOf({ path_in_schema: path }: ColumnMetaData, schema: SchemaTree): Levels {
  const levels = { repetition: 0, definition: 0 };
  let place: SchemaTree | undefined = schema;
  for (const name of path) {
    place = place?.children.find((child) => child.element.name === name);
    const kind = place?.element.repetition_type;
    if (kind === 'REPEATED') levels.repetition++;
    if (kind === 'REPEATED' || kind === 'OPTIONAL') levels.definition++;
  }
  return levels;
}

/** More rows than this do not fit a list in JavaScript, and the attempt ends the whole process. */
const MOST_ROWS = 50_000_000;

/** A file holds row counts several times; if one of them is damaged the reader would ask for any amount of memory. */
function requireSameCounts({ num_rows: rows, row_groups: groups }: FileMetaData): void {
  const counted = groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (counted !== rows) throw new Error(`it should have ${rows} rows, but its groups have ${counted}`);
  if (rows < 0n || rows > MOST_ROWS) throw new Error(`it would have ${rows} rows`);
  for (const { columns, num_rows: expected } of groups) {
    for (const { meta_data: column } of columns) {
      const isFlat = column?.path_in_schema.length === 1;
      if (isFlat && column.num_values !== expected)
        throw new Error(`a column has ${column.num_values} values for ${expected} rows`);
    }
  }
}

/**
 * What was noted in a file beside its columns: texts by name. Other tools keep notes of their own there.
 * @throws UserError if the file is missing or damaged
 */
export async function readParquetNotes(path: string): Promise<Record<string, string | undefined>> {
  const file = await readWhole(path, 'the parquet file');
  const notes = orDamaged(path, () => parquetMetadata(file).key_value_metadata ?? []);
  return Object.fromEntries(notes.map(({ key, value }) => [key, value]));
}

/**
 * The bytes of an uncompressed parquet file.
 *
 * @param path what messages call it
 * @param notes texts by name, kept in the file beside the columns
 * @throws UserError if the columns differ in length
 */
export function parquetBytes(
  path: string,
  columns: readonly ParquetColumn[],
  notes: Record<string, string> = {},
): Uint8Array {
  const lengths = new Set(columns.map((column) => column.data.length));
  if (lengths.size > 1) {
    const sizes = columns.map((column) => `${column.name} ${column.data.length}`).join(', ');
    throw new UserError(`cannot write ${path}: its columns differ in length (${sizes})`);
  }
  const kvMetadata = Object.entries(notes).map(([key, value]) => ({ key, value }));
  const columnData = columns.map(toSource);
  return new Uint8Array(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED', kvMetadata }));
}

function toSource(column: ParquetColumn): ColumnSource {
  const { name } = column;
  return column.type === 'string'
    ? { name, data: [...column.data], type: 'STRING', nullable: false }
    : { name, data: BigInt64Array.from(Array.from(column.data), BigInt), type: 'INT64', nullable: false };
}

function plainNumber(value: unknown, path: string, column: string): unknown {
  if (typeof value !== 'bigint') return value ?? null;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new UserError(`${path}, column '${column}': ${value} is too large a number to be read exactly`);
  }
  return number;
}

async function readWhole(path: string, what: string): Promise<ArrayBuffer> {
  const bytes = await io.readFileOrExplain(path, what);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

function orDamaged<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw damaged(path, error);
  }
}

function damaged(path: string, error: unknown): UserError {
  return new UserError(
    `${path} is not a readable parquet file (${oneLine(error)}); it may be damaged or cut short, so make it again`,
  );
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
