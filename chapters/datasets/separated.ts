import { CsvError, type Info, parse as parseCsv } from 'csv-parse/sync';
import { firstFew, UserError } from '../../lib/index.ts';

/** Rows with a line of names above them, separated by commas, semicolons, tabs or bars, as spreadsheets write them. */

const SEPARATORS = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', '|': 'bars' } as const;
type Separator = keyof typeof SEPARATORS;
const ALL = Object.keys(SEPARATORS) as Separator[];

export interface SeparatedRow {
  /** The line of the file that the row begins on. */
  line: number;
  fields: string[];
}

export interface SeparatedTable {
  /** The names of the columns that have one. */
  names: string[];
  rows: SeparatedRow[];
  /** What stands in columns without a name, in words. */
  leftOut?: string;
}

/**
 * Reads such a text. Line ends may be of any kind, and of several. Columns without a name, as of a spreadsheet that was
 * once wider, are left out.
 *
 * @param given the separator; by default the one that occurs most often in the first line
 * @throws UserError that names the line if a row has more or fewer fields than there are columns
 */
export function readSeparated(path: string, text: string, given?: string): SeparatedTable {
  const firstLine = text.slice(0, text.search(/[\r\n]|$/));
  const separator = given && firstLine.includes(given) ? (given as Separator) : separatorOf(firstLine);
  const [head, ...rows] = fieldsOf(path, text, separator);
  const header = head.fields.map((name) => name.trim());
  const named = header.flatMap((name, i) => (name === '' ? [] : [i]));
  const names = named.map((i) => header[i]);
  const last = named.at(-1) ?? 0;
  let withMore = 0;
  for (const { line, fields } of rows) {
    const extra = fields
      .slice(last + 1)
      .filter((field, i) => field.trim() !== '' && i + last + 1 >= header.length);
    if (fields.length <= last || extra.length > 0)
      throw oddRow(path, line, fields, header.slice(0, last + 1), separator, text);
    if (fields.some((field, i) => field.trim() !== '' && header[i] === '')) withMore++;
  }
  const unnamed = header.length - named.length;
  return {
    names,
    rows: rows.map(({ line, fields }) => ({ line, fields: named.map((i) => fields[i]) })),
    leftOut:
      unnamed === 0
        ? undefined
        : `${unnamed === 1 ? 'A column' : `${unnamed} columns`} without a name ${unnamed === 1 ? 'is' : 'are'} left out: ` +
          (withMore === 0
            ? 'nothing is in them'
            : `${withMore.toLocaleString('en')} rows have something there`),
  };
}

function separatorOf(firstLine: string): Separator {
  const count = (separator: string) => firstLine.replaceAll(/"[^"]*"/g, '').split(separator).length;
  return ALL.reduce((best, each) => (count(each) > count(best) ? each : best));
}

function fieldsOf(path: string, text: string, delimiter: string): SeparatedRow[] {
  let records: { info: Info; record: string[] }[];
  try {
    records = parseCsv(text, {
      ...{ delimiter, info: true, relax_column_count: true, relax_quotes: true },
      ...{ skip_empty_lines: true, skip_records_with_empty_values: true },
      record_delimiter: ['\r\n', '\n', '\r'],
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = linesOf(text).findLastIndex((each) => each.split('"').length % 2 === 0) + 1;
    throw new UserError(
      `${path}, line ${line}: a quotation mark opens a text that nothing closes; close it, or put the text between ` +
        'quotation marks and write the mark twice',
    );
  }
  return records.map(({ info, record }) => {
    const within = record.reduce((sum, field) => sum + linesOf(field).length - 1, 0);
    return { line: info.lines - within, fields: record };
  });
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

/** A row with more or fewer fields than there are columns; it may be separated otherwise than the first line. */
function oddRow(
  path: string,
  line: number,
  fields: readonly string[],
  names: readonly string[],
  separator: Separator,
  text: string,
): UserError {
  const row = linesOf(text)[line - 1] ?? '';
  const other = ALL.find(
    (each) => each !== separator && names.length > 1 && row.split(each).length === names.length,
  );
  const count = `${fields.length} ${fields.length === 1 ? 'field' : 'fields'}`;
  const advice =
    other !== undefined && fields.length < names.length
      ? `this line has ${SEPARATORS[other]}, the first one ${SEPARATORS[separator]}: use one of them throughout`
      : 'put a field with a separator in it between quotation marks';
  return new UserError(
    `${path}, line ${line}: it has ${count}, and the first line names ${names.length} columns (${firstFew(names)}); ${advice}`,
  );
}
