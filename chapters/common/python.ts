/** A value as Python's `print` shows it inside a list: strings in quotes, arrays as lists. */
export function repr(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  return String(value);
}

/** The same for a tuple. */
export function tuple(...values: unknown[]): string {
  return `(${values.map(repr).join(', ')}${values.length === 1 ? ',' : ''})`;
}

/** Python takes single quotes, unless the text has those and no double ones. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(mark, `\\${mark}`);
  return mark + inner + mark;
}
