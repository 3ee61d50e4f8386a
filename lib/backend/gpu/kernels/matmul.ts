import type { Strided } from '../../kernels.ts';
import { sizeOf } from '../../strided.ts';
import type { Device, LaunchArgument } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import type { ArgumentType, KernelDefinition } from '../protocol.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction } from './kernelFunction.ts';
import { isWhole, rowMajorValue } from './views.ts';

/**
 * out[z, y, x] = Σᵢ a[z, y, i] b[z, i, x]. One kernel for each way in which the operands may lie in memory, N
 * (as they are) or T (transposed); a third that begins with a bias, and one that adds to what is there.
 */
type Layout = 'N' | 'T';
type Start = 'zero' | 'bias' | 'target';

const A: Record<Layout, string> = {
  N: 'a[this.thread.z][this.thread.y][i]',
  T: 'a[this.thread.z][i][this.thread.y]',
};
const B: Record<Layout, (x: string) => string> = {
  N: (x) => `b[this.thread.z][i][${x}]`,
  T: (x) => `b[this.thread.z][${x}][i]`,
};
const START: Record<Start, (x: string) => string> = {
  zero: () => '0',
  bias: (x) => `start[${x}]`,
  target: (x) => `start[this.thread.y][${x}]`,
};

/** One number per thread: the definition. */
function plainSource(a: Layout, b: Layout, start: Start): string {
  return `function (a, b, k${start === 'zero' ? '' : ', start'}) {
    let sum = ${START[start]('this.thread.x')};
    for (let i = 0; i < k; i++) sum += ${A[a]} * ${B[b]('this.thread.x')};
    return sum;
  }`;
}

/** Four neighbours in a row per thread, which share what is read of a: 5 reads for 4 products instead of 8. */
function wideSource(a: Layout, b: Layout, start: Start): string {
  const x = [0, 1, 2, 3].map((j) => `this.thread.x * 4 + ${j}`);
  return `function (a, b, k${start === 'zero' ? '' : ', start'}) {
    ${x.map((at, j) => `let s${j} = ${START[start](at)};`).join('\n')}
    for (let i = 0; i < k; i++) {
      const p = ${A[a]};
      ${x.map((at, j) => `s${j} += p * ${B[b](at)};`).join('\n')}
    }
    return [s0, s1, s2, s3];
  }`;
}

const compiled = new Map<string, KernelDefinition>();

function kernelFor(a: Layout, b: Layout, start: Start, wide: boolean): KernelDefinition {
  const name = `matmul ${a}${b} from ${start}${wide ? ', four wide' : ''}`;
  let kernel = compiled.get(name);
  if (!kernel) {
    const types: ArgumentType[] =
      start === 'zero' ? ['array', 'array', 'int'] : ['array', 'array', 'int', 'array'];
    const source = wide ? wideSource(a, b, start) : plainSource(a, b, start);
    compiled.set(name, (kernel = kernelFunction(name, types, source, wide ? 4 : 1)));
  }
  return kernel;
}

function swapLastTwo(x: Strided): Strided {
  const swap = (list: readonly number[]) => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!];
  return { storage: x.storage, shape: swap(x.shape), strides: swap(x.strides), offset: x.offset };
}

/** An operand [..., rows, columns] as it lies in memory, or as a row-major copy if it lies otherwise. */
function operand(
  device: Device,
  x: Strided,
  mayBeTransposed: boolean,
): { layout: Layout; arg: LaunchArgument } {
  const [rows, columns] = x.shape.slice(-2);
  const batch = sizeOf(x.shape.slice(0, -2));
  if (mayBeTransposed && !isWhole(x) && isWhole(swapLastTwo(x))) {
    return { layout: 'T', arg: { value: device.valueOf(x.storage), size: [rows, columns, batch] } };
  }
  return { layout: 'N', arg: { value: rowMajorValue(device, x), size: [columns, rows, batch] } };
}

/** a [..., m, k] · b [..., k, n], whether or not it pays. */
export function product(
  device: Device,
  a: Strided,
  b: Strided,
  start?: { kind: Start; arg: LaunchArgument },
): Value {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1)!;
  const batch = sizeOf(a.shape.slice(0, -2));
  const left = operand(device, a, true);
  // A network never makes a product with both transposed: then b is copied.
  const right = operand(device, b, left.layout === 'N');
  // Four numbers per thread have to end with the row. OpenGL's textures and our arrays have them in another order.
  const wide = device.mode === 'webgpu' && n % 4 === 0;
  const kernel = kernelFor(left.layout, right.layout, start?.kind ?? 'zero', wide);
  const x = wide ? n / 4 : n;
  const output = batch > 1 ? [x, m, batch] : [x, m];
  return device.launch(kernel, output, [left.arg, right.arg, k, ...(start ? [start.arg] : [])]);
}

/** Is it enough work to be worth carrying operands over from the host, and the result back? */
function paysOff(device: Device, a: Strided, b: Strided): boolean {
  return sizeOf(a.shape) * b.shape.at(-1)! >= device.smallestProduct;
}

export const matmulKernels: Pick<GpuKernels, 'matmul' | 'matmulInto'> = {
  matmul(device, a, b, bias) {
    if (!device.wants(a, b) && !paysOff(device, a, b)) return undefined;
    if (!bias) return [product(device, a, b)];
    const arg = { value: rowMajorValue(device, bias), size: bias.shape };
    return [product(device, a, b, { kind: 'bias', arg })];
  },
  matmulInto(device, target, a, b) {
    if (!isWhole(target)) return undefined;
    if (!device.wants(target, a, b) && !paysOff(device, a, b)) return undefined;
    const arg = { value: device.valueOf(target.storage), size: target.shape.toReversed() };
    return [product(device, a, b, { kind: 'target', arg })];
  },
};
