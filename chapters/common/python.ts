/** A value as Python's `print` shows it inside a list: strings in quotes, arrays as lists, plain objects as dicts. */
export function repr(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const items = Object.entries(value).map(([key, item]) => `${quote(key)}: ${repr(item)}`);
    return `{${items.join(', ')}}`;
  }
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

/** A float as Python prints it: 1.0, where JavaScript has 1. */
export function float(x: number): string {
  return Number.isInteger(x) ? x.toFixed(1) : String(x);
}
