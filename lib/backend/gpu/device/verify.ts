import type { Kernels, Strided } from '../../kernels.ts';
import type { TypedArray } from '../../storage.ts';
import { sizeOf } from '../../strided.ts';
import { type Args, isStrided, onHost, runOnCpu } from './cpu.ts';
import type { Device } from './device.ts';
import type { Value } from './value.ts';

/**
 * The first result of every kernel is compared with the CPU's. Users of gpu.js report products that are
 * silently zero from some row on, or right only for square matrices, each on some card and for some sizes. So
 * "first" means: of this kernel, with operands that lie like these, and of this order of magnitude.
 */
export class Verifier {
  readonly #seen = new Set<string>();

  /** Compares the values with the CPU's results, the first time. Returns what is wrong, if anything is. */
  check(device: Device, name: keyof Kernels, args: Args, values: readonly Value[]): string | undefined {
    const key = signature(name, args);
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    const isProduct = name === 'matmul' || name === 'matmulInto';
    const found = device.fetchAll(values);
    const safe = onHost(args);
    const wrong =
      isProduct && multiplications(name, safe) > LARGE_PRODUCT
        ? compareRows(name, safe, found[0])
        : compareAll(runOnCpu(name, safe), found);
    return wrong && `${key} gave ${wrong}`;
  }
}

/** Products beyond this many multiply-adds are compared in some rows only. */
const LARGE_PRODUCT = 2 ** 26;
const ROWS_COMPARED = 16;
/** Relative to the largest number; the rounding of a sum of thousands of float32 stays far below it. */
const TOLERANCE = 1e-3;

/** The kernel with its settings, and each operand's sizes to the next power of two and how it lies. */
function signature(name: keyof Kernels, args: Args): string {
  const parts = args.map((arg) => {
    if (isStrided(arg))
      return `[${arg.shape.map((n) => 2 ** Math.ceil(Math.log2(n))).join(', ')}]${layout(arg)}`;
    return typeof arg === 'string' || typeof arg === 'boolean' || Array.isArray(arg) ? String(arg) : '';
  });
  return `${name}(${parts.filter(Boolean).join(', ')})`;
}

/** The axes from the outermost in memory to the innermost, and which of them only repeat. */
function layout(x: Strided): string {
  const axes = x.strides.map((_, axis) => axis).sort((a, b) => x.strides[b] - x.strides[a] || a - b);
  const inOrder = axes.every((axis, i) => axis === i) && x.strides.every((stride) => stride > 0);
  return inOrder ? '' : ` axes ${axes.map((axis) => (x.strides[axis] === 0 ? '×' : axis)).join('')}`;
}

function compareAll(expected: readonly TypedArray[], found: readonly TypedArray[]): string | undefined {
  for (const [i, numbers] of expected.entries()) {
    const wrong = compare(numbers, found[i]);
    if (wrong) return wrong;
  }
  return undefined;
}

/** Describes the first number that differs by more than rounding. */
export function compare(expected: TypedArray, found: TypedArray): string | undefined {
  let largest = 0;
  for (const x of expected) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  const allowed = TOLERANCE * largest + 1e-7;
  for (let i = 0; i < expected.length; i++) {
    // WebGPU leaves NaN and infinity to the driver.
    if (!Number.isFinite(expected[i])) continue;
    if (!(Math.abs(expected[i] - found[i]) <= allowed))
      return `${found[i]} at place ${i} instead of ${expected[i]}`;
  }
  return undefined;
}

function multiplications(name: keyof Kernels, args: Args): number {
  const [a, b] = args.slice(name === 'matmulInto' ? 1 : 0) as Strided[];
  return sizeOf(a.shape) * b.shape.at(-1)!;
}

/** Compares rows of a product, spread from the first to the last, with products of those rows alone. */
function compareRows(name: keyof Kernels, args: Args, found: TypedArray): string | undefined {
  const target = name === 'matmulInto' ? (args[0] as Strided) : undefined;
  const [a, b, bias] = (target ? args.slice(1) : args) as [Strided, Strided, Strided | undefined];
  const n = b.shape.at(-1)!;
  const rows = found.length / n;
  for (let i = 0; i < ROWS_COMPARED; i++) {
    const row = Math.round((i * (rows - 1)) / (ROWS_COMPARED - 1));
    const [left, right] = rowOfProduct(a, b, row);
    const [product] = runOnCpu('matmul', bias ? [left, right, bias] : [left, right]);
    if (target) {
      const before = target.storage.data.subarray(target.offset + row * n, target.offset + (row + 1) * n);
      for (let j = 0; j < n; j++) product[j] += before[j];
    }
    const wrong = compare(product, found.subarray(row * n, (row + 1) * n));
    if (wrong) return `${wrong} of row ${row}`;
  }
  return undefined;
}

/** The operands [1, k] and [k, n] of one row of a batched product. */
function rowOfProduct(a: Strided, b: Strided, row: number): [Strided, Strided] {
  const m = a.shape.at(-2)!;
  let batch = Math.floor(row / m);
  let inA = a.offset + (row % m) * a.strides.at(-2)!;
  let inB = b.offset;
  for (let axis = a.shape.length - 3; axis >= 0; axis--) {
    const at = batch % a.shape[axis];
    batch = Math.floor(batch / a.shape[axis]);
    inA += at * a.strides[axis];
    inB += at * b.strides[axis];
  }
  const k = a.shape.at(-1)!;
  return [
    { storage: a.storage, shape: [1, k], strides: [k, a.strides.at(-1)!], offset: inA },
    { storage: b.storage, shape: b.shape.slice(-2), strides: b.strides.slice(-2), offset: inB },
  ];
}
