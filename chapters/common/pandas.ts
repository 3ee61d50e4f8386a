/** Tables as pandas prints them. */

import { largest } from './largest.ts';
export interface Column {
  name: string;
  values: readonly (string | number)[];
}

/** A table as pandas prints it: the first and last five rows, texts cut, everything aligned right. */
export function formatFrame(index: readonly number[], columns: readonly Column[]): string {
  const rows = index.length;
  const shown = Array.from({ length: Math.min(5, rows) }, (_, i) => i);
  const last = shown.map((i) => rows - shown.length + i);
  const indexWidth = Math.max(...[...shown, ...last].map((i) => String(index[i]).length));
  const shownColumns = columns.map(({ name, values }) => {
    const isText = typeof values[0] === 'string';
    const cell = (i: number) => (isText ? cutText(String(values[i])) : String(values[i]));
    // pandas leaves a place before numbers for a sign, and one before texts for no reason.
    const title = isText ? name : ` ${name}`;
    const width = Math.max(title.length, ...[...shown, ...last].map((i) => cell(i).length + 1));
    return { title: name, cell, width: width + 1 };
  });
  const line = (label: string, cells: readonly string[]) =>
    label.padEnd(indexWidth) + cells.map((cell, c) => cell.padStart(shownColumns[c].width)).join('');
  const row = (i: number) =>
    line(
      String(index[i]),
      shownColumns.map(({ cell }) => cell(i)),
    );
  return [
    line(
      '',
      shownColumns.map(({ title }) => title),
    ),
    ...shown.map(row),
    line(
      '...',
      shownColumns.map(() => '...'),
    ),
    ...last.map(row),
    '',
    `[${rows} rows x ${columns.length} columns]`,
  ].join('\n');
}

/** pandas shows 50 characters of a text, including a blank in front. */
function cutText(text: string): string {
  return text.length + 1 > 50 ? `${text.slice(0, 46)}...` : text;
}

/** How often each value occurs, in the order of the values given: `value_counts()`. */
export function formatCounts(
  name: string,
  counts: readonly (readonly [value: string, count: number])[],
): string {
  const width = largest(counts.map(([, count]) => String(count).length));
  const lines = counts.map(([value, count]) => value.padEnd(8) + String(count).padStart(width));
  return [name, ...lines, 'Name: count, dtype: int64'].join('\n');
}
