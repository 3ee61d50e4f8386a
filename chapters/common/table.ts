/** A table in plain text: a header, then rows; columns of numbers are aligned right. */

import { largest } from './largest.ts';
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    largest(
      rows.map((row) => row[column].length),
      title.length,
    ),
  );
  const isNumeric = (column: number) => rows.every((row) => /^([\d,.%–-]+( \w+)?)?$/.test(row[column]));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumeric(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(header), rule, ...rows.map(line)].join('\n');
}
