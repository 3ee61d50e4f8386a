import { checkOptions } from '../arguments.ts';
import { type Shape, sizeOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * Printing as PyTorch prints (its `_tensor_str.py`): four decimals, one width for all elements, lines of 80
 * characters, and `...` in the middle of what has more than 1,000 elements.
 */

const PRECISION = 4;
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 80;
const PREFIX = 'tensor(';

/** `1.2e-05` for numbers of very different sizes: left to the printed tensor (null), always, or never. */
let sciMode: boolean | null = null;

/** As torch.set_printoptions: holds for all tensors printed from now on. */
export function setPrintOptions(options: { sciMode: boolean | null }): void {
  checkOptions('setPrintOptions', options, ['sciMode']);
  sciMode = options.sciMode;
}

/** Rounds a decimal tie to even, as Python; JavaScript's toFixed and toExponential round it up. */
function roundTieToEven(exact: string, rounded: string, roundedDown: () => string): string {
  // `exact` shows the digits past the precision: a tie is a 5 and then zeros.
  const isTie = /^50*$/.test(exact);
  const lastDigit = Number(/(\d)(?:e|$)/.exec(rounded)?.[1]);
  return isTie && lastDigit % 2 === 1 ? roundedDown() : rounded;
}

/** x with `digits` decimals, as Python's `{:.4f}`. */
function toFixed(x: number, digits = PRECISION): string {
  if (!Number.isFinite(x)) return formatNonFinite(x);
  const rounded = x.toFixed(digits);
  const text = roundTieToEven(x.toFixed(digits + 30).slice(-30), rounded, () =>
    (x - Math.sign(x) * 10 ** -(digits + 1)).toFixed(digits),
  );
  return x < 0 || Object.is(x, -0) ? text.replace(/^-?/, '-') : text;
}

/** x as Python's `{:.4e}`: an exponent of at least two digits. */
export function toExponential(x: number, digits = PRECISION): string {
  if (!Number.isFinite(x)) return formatNonFinite(x);
  const exact = x.toExponential(digits + 30);
  const text = roundTieToEven(
    exact.slice(exact.indexOf('.') + 1 + digits, exact.indexOf('e')),
    x.toExponential(digits),
    () => `${exact.slice(0, exact.indexOf('.') + 1 + digits)}${exact.slice(exact.indexOf('e'))}`,
  );
  const withZero = text.replace(/e([+-])(\d)$/, 'e$10$2');
  return Object.is(x, -0) ? `-${withZero}` : withZero;
}

function formatNonFinite(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  return x > 0 ? 'inf' : '-inf';
}

interface Formatter {
  write(value: number | boolean): string;
  /** Of a cell when lines are broken: 1 for zeros alone, although `0.` takes 2, as in PyTorch. */
  width: number;
}

/** Chooses one notation and one width for all the values that will be shown. */
function formatterFor(values: readonly (number | boolean)[], isFloat: boolean): Formatter {
  const write = isFloat
    ? floatFormat(values as number[])
    : (value: number | boolean) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));
  const counted = isFloat ? values.filter((v) => Number.isFinite(v as number) && v !== 0) : values;
  const width = counted.reduce<number>((widest, v) => Math.max(widest, write(v).length), 1);
  return { write: (value) => write(value).padStart(width), width };
}

function floatFormat(values: readonly number[]): (value: number | boolean) => string {
  const sizes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const max = sizes.reduce((a, b) => Math.max(a, b), 0);
  const min = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const whole = sizes.every(Number.isInteger);
  const wide = sizes.length > 0 && (max / min > 1000 || max > 1e8);
  if (sciMode ?? (wide || (!whole && min < 1e-4))) return (v) => toExponential(v as number);
  if (whole)
    return (v) =>
      Number.isFinite(v as number) ? `${toFixed(v as number, 0)}.` : formatNonFinite(v as number);
  return (v) => toFixed(v as number);
}

/** The positions shown of an axis; null stands for what is left out. */
function shownPositions(length: number, summarise: boolean): (number | null)[] {
  const all = Array.from({ length }, (_, i) => i);
  if (!summarise || length <= 2 * EDGE_ITEMS) return all;
  return [...all.slice(0, EDGE_ITEMS), null, ...all.slice(-EDGE_ITEMS)];
}

type Values = number | boolean | Values[];

function formatVector(
  values: (number | boolean)[],
  indent: number,
  summarise: boolean,
  formatter: Formatter,
): string {
  const cells = shownPositions(values.length, summarise).map((i) =>
    i === null ? ' ...' : formatter.write(values[i]),
  );
  const cellWidth = formatter.width + 2;
  const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / cellWidth));
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += perLine) lines.push(cells.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
}

function formatNested(
  values: Values[],
  ndim: number,
  indent: number,
  summarise: boolean,
  formatter: Formatter,
): string {
  if (ndim === 1) return formatVector(values as (number | boolean)[], indent, summarise, formatter);
  const parts = shownPositions(values.length, summarise).map((i) =>
    i === null ? '...' : formatNested(values[i] as Values[], ndim - 1, indent + 1, summarise, formatter),
  );
  return `[${parts.join(`,${'\n'.repeat(ndim - 1)}${' '.repeat(indent + 1)}`)}]`;
}

/** The values that will be shown, in one list. */
function shownValues(values: Values, summarise: boolean): (number | boolean)[] {
  if (!Array.isArray(values)) return [values];
  return shownPositions(values.length, summarise).flatMap((i) =>
    i === null ? [] : shownValues(values[i], summarise),
  );
}

function formatSize(shape: Shape): string {
  return `size=(${shape.length === 1 ? `${shape[0]},` : shape.join(', ')})`;
}

function addSuffixes(text: string, suffixes: readonly string[]): string {
  let out = text;
  let lineLength = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (lineLength + suffix.length + 2 > LINE_WIDTH) {
      out += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      lineLength = PREFIX.length + suffix.length;
    } else {
      out += `, ${suffix}`;
      lineLength += suffix.length + 2;
    }
  }
  return `${out})`;
}

/** `relu` → `ReluBackward0`; an operation's second form, `mean1`, → `MeanBackward1`. */
function gradientName(operation: string): string {
  const [, name, form = '0'] = /^(.*?)(\d)?$/.exec(operation)!;
  return `${name[0].toUpperCase()}${name.slice(1)}Backward${form}`;
}

/** The tensor as PyTorch would print it. */
export function formatTensor(t: Tensor): string {
  const suffixes: string[] = [];
  let body: string;
  if (t.size === 0) {
    body = '[]';
    if (t.ndim !== 1) suffixes.push(formatSize(t.shape));
    // An empty list shows no type by itself: anything but the default is named.
    if (t.dtype !== 'float32') suffixes.push(`dtype=torch.${t.dtype}`);
  } else {
    const summarise = sizeOf(t.shape) > THRESHOLD;
    const values = t.toArray() as Values;
    const formatter = formatterFor(shownValues(values, summarise), t.dtype === 'float32');
    body = Array.isArray(values)
      ? formatNested(values, t.ndim, PREFIX.length, summarise, formatter)
      : formatter.write(values);
  }
  if (t.node) suffixes.push(`grad_fn=<${gradientName(t.node.name)}>`);
  else if (t.requiresGrad) suffixes.push('requires_grad=True');
  return addSuffixes(PREFIX + body, suffixes);
}
