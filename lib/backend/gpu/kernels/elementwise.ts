import type { BinaryOp, Strided, UnaryOp } from '../../kernels.ts';
import { type DType, Storage } from '../../storage.ts';
import { rowMajorStrides, sizeOf } from '../../strided.ts';
import { Decline, type Device, type LaunchArgument } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import type { ArgumentType, KernelDefinition } from '../protocol.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction } from './kernelFunction.ts';
import { copyOf, flat, isWhole, mergeAxes } from './views.ts';

/** Operations on each element, as JavaScript expressions of a, b and c. */

/**
 * Without sin and cos, for which WebGPU asks no more than three right digits, and log, which some drivers make a number
 * like −88 at 0. Operations that are seldom used are left to the CPU too.
 */
const UNARY: Record<UnaryOp, string | undefined> = {
  neg: '-a',
  abs: 'Math.abs(a)',
  exp: 'Math.exp(a)',
  sqrt: 'Math.sqrt(a)',
  rsqrt: '1 / Math.sqrt(a)',
  reciprocal: '1 / a',
  square: 'a * a',
  tanh: tanh('a'),
  sigmoid: '1 / (1 + Math.exp(-a))',
  silu: 'a / (1 + Math.exp(-a))',
  relu: 'Math.max(a, 0)',
  ...{ log: undefined, sin: undefined, cos: undefined, erf: undefined, log1p: undefined, expm1: undefined },
  ...{ floor: undefined, ceil: undefined, round: undefined, trunc: undefined, sign: undefined },
  gelu: `0.5 * a * (1 + ${tanh('0.7978845608 * (a + 0.044715 * a * a * a)')})`,
};

const BINARY: Record<BinaryOp, string> = {
  add: 'a + b',
  sub: 'a - b',
  mul: 'a * b',
  div: 'a / b',
  // For whole exponents, the only ones left to the device: its own pow has no negative bases.
  pow: `const size = Math.pow(Math.abs(a), b);
    if (a < 0 && b - 2 * Math.floor(b * 0.5) > 0.5) return -size;
    return size;`,
  maximum: 'Math.max(a, b)',
  minimum: 'Math.min(a, b)',
  eq: 'a == b ? 1 : 0',
  ne: 'a == b ? 0 : 1',
  lt: 'a < b ? 1 : 0',
  le: 'a <= b ? 1 : 0',
  gt: 'a > b ? 1 : 0',
  ge: 'a >= b ? 1 : 0',
};

/** A tanh of our own: that of some drivers overflows for large arguments. */
function tanh(x: string): string {
  return `(1 - 2 / (1 + Math.exp(2 * Math.min(Math.max(${x}, -15), 15))))`;
}

const GELU_BACKWARD = `const t = ${tanh('0.7978845608 * (a + 0.044715 * a * a * a)')};
  return b * (0.5 * (1 + t) + 0.5 * a * (1 - t * t) * 0.7978845608 * (1 + 0.134145 * a * a));`;

const SILU_BACKWARD = `const s = 1 / (1 + Math.exp(-a));
  return b * (s + a * s * (1 - s));`;

const CAST: Record<DType, string> = {
  float32: 'a',
  int32: 'a < 0 ? Math.ceil(a) : Math.floor(a)',
  bool: 'a == 0 ? 0 : 1',
};

/** The numbers of a view that is one number everywhere and known to the host. */
function scalarOf(x: Strided): number | undefined {
  if (!x.storage.isOnHost || x.strides.some((stride, axis) => stride !== 0 && x.shape[axis] !== 1))
    return undefined;
  return x.storage.data[x.offset];
}

const compiled = new Map<string, KernelDefinition>();

/**
 * The kernel that evaluates the body for operands a, b, c, each an array with an offset and three strides,
 * or a number.
 */
function kernelFor(name: string, body: string, isScalar: readonly boolean[]): KernelDefinition {
  const key = `${name}(${isScalar.map((scalar) => (scalar ? 'number' : 'array')).join(', ')})`;
  const known = compiled.get(key);
  if (known) return known;
  const parameters: string[] = [];
  const types: ArgumentType[] = [];
  const lines: string[] = [];
  for (const [i, scalar] of isScalar.entries()) {
    const v = 'abc'[i];
    if (scalar) {
      parameters.push(v);
      types.push('float');
    } else {
      parameters.push(`${v}s`, `${v}0`, `${v}x`, `${v}y`, `${v}z`);
      types.push('array', 'int', 'int', 'int', 'int');
      lines.push(
        `const ${v} = ${v}s[${v}0 + this.thread.x * ${v}x + this.thread.y * ${v}y + this.thread.z * ${v}z];`,
      );
    }
  }
  const source = `function (${parameters.join(', ')}) { ${lines.join(' ')} ${body.includes('return') ? body : `return ${body};`} }`;
  const kernel = kernelFunction(key, types, source);
  compiled.set(key, kernel);
  return kernel;
}

/** Evaluates the body for each element of the operands, which have the same shape. */
export function elementwise(
  device: Device,
  name: string,
  body: string,
  operands: readonly Strided[],
  dtype: DType = 'float32',
): Value {
  const scalars = operands.map(scalarOf);
  const arrays = operands.filter((_, i) => scalars[i] === undefined);
  const { shape, strides } =
    arrays.length > 0 ? mergeAxes(arrays) : { shape: [sizeOf(operands[0].shape)], strides: [] };
  if (shape.length > 3) {
    const straight = operands.map((x, i) => (scalars[i] !== undefined ? x : withRowMajorCopy(device, x)));
    return elementwise(device, name, body, straight, dtype);
  }
  const args: LaunchArgument[] = [];
  let array = 0;
  for (const [i, x] of operands.entries()) {
    const scalar = scalars[i];
    if (scalar !== undefined) args.push(scalar);
    else {
      const [sx = 0, sy = 0, sz = 0] = strides[array++].toReversed();
      args.push(flat(device, x), x.offset, sx, sy, sz);
    }
  }
  const output = shape.length > 0 ? shape.toReversed() : [1];
  const kernel = kernelFor(
    name,
    body,
    scalars.map((scalar) => scalar !== undefined),
  );
  return device.launch(kernel, output, args, dtype);
}

/** The same view over a row-major copy on the device, for views with more axes than a kernel follows. */
function withRowMajorCopy(device: Device, x: Strided): Strided {
  if (isWhole(x)) return x;
  const value = copyOf(device, x);
  const storage = Storage.onDevice(value.dtype, value.length, value);
  return { storage, shape: x.shape, strides: rowMajorStrides(x.shape), offset: 0 };
}

/** The device computes only in float32: it keeps integers as float32, which does not have all of them. */
function floatsOnly(...views: readonly Strided[]): void {
  if (views.some((view) => view.storage.dtype !== 'float32')) throw new Decline();
}

export const elementwiseKernels: Pick<
  GpuKernels,
  'unary' | 'geluBackward' | 'siluBackward' | 'binary' | 'where' | 'contiguous' | 'cast'
> = {
  unary(device, op, x) {
    const body = UNARY[op];
    if (!device.wants(x) || !body) return undefined;
    floatsOnly(x);
    // WebGPU leaves open what its functions make of NaN; a run that diverges should show it.
    return [elementwise(device, op, `if (a < 0 || a >= 0) return ${body}; return a;`, [x])];
  },
  geluBackward(device, x, g) {
    return device.wants(x, g) ? [elementwise(device, 'geluBackward', GELU_BACKWARD, [x, g])] : undefined;
  },
  siluBackward(device, x, g) {
    return device.wants(x, g) ? [elementwise(device, 'siluBackward', SILU_BACKWARD, [x, g])] : undefined;
  },
  binary(device, op, a, b) {
    if (!device.wants(a, b)) return undefined;
    floatsOnly(a, b);
    if (op === 'pow' && !Number.isInteger(scalarOf(b))) return undefined;
    const isComparison = BINARY[op].includes('?');
    // NaN is found by x != x, which a shader's compiler may take for false: that is left to the CPU.
    if (isComparison && a.storage === b.storage) return undefined;
    return [elementwise(device, op, BINARY[op], [a, b], isComparison ? 'bool' : 'float32')];
  },
  where(device, condition, a, b) {
    if (!device.wants(condition, a, b)) return undefined;
    floatsOnly(a, b);
    return [elementwise(device, 'where', 'a != 0 ? b : c', [condition, a, b])];
  },
  contiguous(device, x) {
    return device.wants(x) ? [copyOf(device, x)] : undefined;
  },
  cast(device, x, dtype) {
    return device.wants(x) ? [elementwise(device, `to ${dtype}`, CAST[dtype], [x], dtype)] : undefined;
  },
};
