import type { Notebook } from './notebook.ts';

/**
 * A printed module tree with equal neighbours merged, as PyTorch prints a ModuleList: `(0-11): 12 x Block(`.
 * A model of twelve blocks is then as long as one of two.
 */
export function shortTree(model: { toString(): string }): string {
  return shorten(String(model).split('\n')).join('\n');
}

/** Prints a cell of the notebook that is a model: its outline, or every module. `--json` has the whole either way. */
export function showModules(
  nb: Notebook,
  cell: number,
  model: { toString(): string },
  everyModule = false,
): void {
  nb.printShort(cell, model, everyModule ? shortTree(model) : outline(model));
  if (!everyModule) nb.note('(--modules prints every module)');
}

/** The same with one line for each child of the model: its parts, and no more of them. */
export function outline(model: { toString(): string }): string {
  const lines = shortTree(model).split('\n');
  const indentOf = (line: string) => line.search(/\S/);
  return lines
    .flatMap((line, i) => {
      if (indentOf(line) > 2 || (indentOf(line) === 2 && line.trim() === ')')) return [];
      if (indentOf(line) < 2 || !line.endsWith('(')) return [line];
      const parts = lines
        .slice(i + 1, endOfEntry(lines, i) - 1)
        .filter((part) => indentOf(part) === 4 && part.trim() !== ')')
        .map((part) => part.trim().replace(/\($/, '(…)'));
      return [`${line}${parts.join(', ')})`];
    })
    .join('\n');
}

function shorten(lines: readonly string[]): string[] {
  const short: string[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = endOfEntry(lines, start);
    const entry = lines.slice(start, end);
    const [, indent, number, rest] = /^( *)\((\d+)\): (.*)$/.exec(entry[0]) ?? [];
    let [last, next] = [Number(number), end];
    // The entries that follow, as long as they differ only in their number.
    while (number !== undefined && next < lines.length) {
      const following = lines.slice(next, endOfEntry(lines, next));
      const expected = [`${indent}(${last + 1}): ${rest}`, ...entry.slice(1)];
      if (following.join('\n') !== expected.join('\n')) break;
      last++;
      next += following.length;
    }
    const count = last - Number(number) + 1;
    const first = count > 1 ? `${indent}(${number}-${last}): ${count} x ${rest}` : entry[0];
    short.push(first, ...shorten(entry.slice(1)));
    start = next;
  }
  return short;
}

/** The end of an entry of the tree: its line, and all lines indented further, with the closing bracket. */
function endOfEntry(lines: readonly string[], start: number): number {
  if (!lines[start].endsWith('(')) return start + 1;
  const indent = /^ */.exec(lines[start])![0];
  return lines.indexOf(`${indent})`, start) + 1 || lines.length;
}
