/** The SMS Spam Collection's own format: one message a line, `ham` or `spam`, a tab, the text. */

import { UserError } from '../../../lib/errors.ts';

export type Label = 'ham' | 'spam';

export interface Message {
  label: Label;
  text: string;
}

/**
 * Reads the collection as `pandas.read_csv(path, sep='\t', header=None)` does, which is what the book calls.
 * That treats a quotation mark at the start of a field as opening a quoted one, so the marks vanish, and a
 * quoted field that is not closed on its line takes the following lines in: of the file's 5,574 lines 5,572
 * rows remain. (`csv-parse` splits the same rows but keeps quotes differently in ten of them.)
 *
 * @param name what error messages call it, usually its path
 * @throws UserError on bytes that are not UTF-8, a row of other than two fields, or a label that is neither
 */
export function parseSms(bytes: Uint8Array, name: string): Message[] {
  let content: string;
  try {
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${name} is not UTF-8 text; expected the SMSSpamCollection file`);
  }
  return readTabSeparated(content, name).map((fields, i) => {
    const [label, text] = fields;
    if (fields.length !== 2) {
      throw new UserError(
        `${name}, message ${i + 1}: expected 'ham' or 'spam', a tab, the text, not ${quoted(fields)}`,
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
    if (row.length > 1 || row[0] !== '') rows.push(row); // blank lines are skipped, so CRLF ends one row
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
