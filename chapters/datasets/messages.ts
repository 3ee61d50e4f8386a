import { unzipSync } from 'fflate';
import { UserError } from '../../lib/index.ts';
import type { DataSet } from './obtain.ts';
import { standInMessages } from './standin/standin.ts';
import { TABLE_ENDINGS } from './tables.ts';
import { decodeText } from './text.ts';

export type Label = 'ham' | 'spam';

export interface Message {
  label: Label;
  text: string;
}

/** The text file inside the zip. */
const FILE_NAME = 'SMSSpamCollection';

/** The rows of the original, as pandas reads them. */
export const ORIGINAL_ROWS = 5572;

/**
 * The SMS Spam Collection (Almeida, Gómez Hidalgo and Yamakami 2011): from the UCI Machine Learning Repository, else
 * from the copy that the book falls back to.
 */
export const MESSAGES: DataSet<Message[]> = {
  name: 'the SMS Spam Collection',
  option: 'data',
  file: FILE_NAME,
  urls: [
    'https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip',
    'https://f001.backblazeb2.com/file/LLMs-from-scratch/sms%2Bspam%2Bcollection.zip',
  ],
  sha256: '7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d',
  unpack: (bytes, path) => (isZip(bytes) ? unzip(bytes, path) : bytes),
  parse: parseSms,
  standIn: { keyword: 'stand-in', name: 'the synthetic stand-in', make: standInMessages },
};

/**
 * Reads the collection's own format, a message a line: `ham` or `spam`, a tab, the text. It is read as the book
 * reads it, by `pandas.read_csv(path, sep='\t', header=None)`.
 * That treats a quotation mark at the start of a field as opening a quoted one, so the marks vanish, and a
 * quoted field that is not closed on its line takes the following lines in: of the file's 5,574 lines 5,572
 * rows remain. (`csv-parse` splits the same rows but keeps quotes differently in ten of them.)
 *
 * @param name what error messages call the file, usually its path
 * @throws UserError on bytes that are not UTF-8, a row of other than two fields, or a label that is neither
 */
export function parseSms(bytes: Uint8Array, name: string): Message[] {
  return readTabSeparated(decodeText(bytes, name), name).map((fields, i) => {
    const [label, text] = fields;
    if (fields.length !== 2) {
      throw new UserError(
        `${name}, message ${i + 1}: expected 'ham' or 'spam', a tab, the text, not ${quoted(fields)}` +
          (i === 0
            ? `; a table of your own has names of columns above it, and ends in ${TABLE_ENDINGS.join(', ')}`
            : ''),
      );
    }
    if (label !== 'ham' && label !== 'spam') {
      throw new UserError(
        `${name}, message ${i + 1}: the label must be 'ham' or 'spam', not ${quoted([label])}`,
      );
    }
    return { label, text };
  });
}

/** The start of a row, short enough for an error message. */
function quoted(fields: string[]): string {
  const start = fields.join('\\t');
  return `'${start.length > 40 ? `${start.slice(0, 40)}…` : start}'`;
}

const TAB = '\t';
const QUOTE = '"';

/**
 * The state machine of pandas' C parser, as far as this needs it. A quote opens a quoted field only at the
 * field's start; inside, a doubled quote is one quote; after the closing one the rest is taken as it stands.
 */
function readTabSeparated(content: string, name: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let state: 'start' | 'plain' | 'quoted' | 'afterQuote' = 'start';

  const endField = () => {
    row.push(field);
    field = '';
    state = 'start';
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || !/^ *$/.test(row[0])) rows.push(row); // blank lines are skipped, so CRLF ends one row
    row = [];
  };

  for (const char of content) {
    if (state === 'quoted') {
      if (char === QUOTE) state = 'afterQuote';
      else field += char;
    } else if (char === TAB) {
      endField();
    } else if (char === '\n' || char === '\r') {
      endRow();
    } else if (char === QUOTE && state === 'start') {
      state = 'quoted';
    } else {
      field += char;
      state = state === 'afterQuote' && char === QUOTE ? 'quoted' : 'plain';
    }
  }
  if ((state as string) === 'quoted') {
    throw new UserError(`${name} ends inside a quotation; the file seems to be cut short`);
  }
  if (field !== '' || row.length > 0) endRow();
  return rows;
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"
}

/** The text file out of the zip. */
function unzip(bytes: Uint8Array, name: string): Uint8Array {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: (file) => file.name.split('/').at(-1) === FILE_NAME });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${name} is not a readable zip file (${why}); it may be damaged or cut short, so get it again`,
    );
  }
  const [file] = Object.values(files);
  if (!file)
    throw new UserError(`${name} has no file named ${FILE_NAME} in it; expected the SMS Spam Collection`);
  return file;
}
