import { resultsAsList, writtenStorages } from '../effects.ts';
import { jsKernels } from '../js/index.ts';
import { type DecliningKernels, type Kernels, REDUCE_OPS, type Strided } from '../kernels.ts';
import type { BlockFormat } from '../quantised/formats.ts';
import { PRODUCT_FORMATS, StoredBlocks, storageOfBlocks } from '../quantised/storedBlocks.ts';
import { Storage } from '../storage.ts';
import { rowMajorStrides, sizeOf } from '../strided.ts';

/**
 * Each kernel beside the readable one of `js`, on few numbers: for code that comes from an experimental pass of the compiler.
 * Rows of 13 are a pair of vectors, a single vector, and a number that is left; it is all over in a few milliseconds.
 */

const N = 13;
/** Relative to a number, and to 1. */
const CLOSE = 1e-4;

/** Numbers in −1 … 1, raised by `by`: the same for the same shape. */
function floats(by: number, ...shape: number[]): Strided {
  const numbers = Float32Array.from(
    { length: sizeOf(shape) },
    (_, i) => ((i * i * 7 + shape.length) % 31) / 15 - 1 + by,
  );
  return { storage: Storage.of(numbers), shape, strides: rowMajorStrides(shape), offset: 0 };
}
const signed = (...shape: number[]) => floats(0, ...shape);
const positive = (...shape: number[]) => floats(1.25, ...shape);

function list<T extends Int32Array | Uint8Array>(numbers: T): Strided {
  return { storage: Storage.of(numbers), shape: [numbers.length], strides: [1], offset: 0 };
}
const ids = () => list(Int32Array.of(2, 0, 2));
const turned = (x: Strided): Strided => ({
  ...x,
  shape: [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!],
  strides: [...x.strides.slice(0, -2), x.strides.at(-1)!, x.strides.at(-2)!],
});

/** A matrix in blocks, with scales of 1/64. */
function inBlocks(format: BlockFormat, rows: number, columns: number): Strided {
  const bytes = Uint8Array.from(
    { length: ((rows * columns) / format.numbers) * format.bytes },
    (_, i) => (i * i * 7) % 251,
  );
  const words = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += format.bytes)
    for (const scale of format.scales!) words.setUint16(at + scale, 0x2400, true);
  const storage = storageOfBlocks(new StoredBlocks(format, columns, Storage.of(bytes)));
  return { storage, shape: [rows, columns], strides: [columns, 1], offset: 0 };
}

/** Weights of attention, zero where a row sees nothing. */
const weightsSeen = (): Strided => ({ ...signed(5, N), storage: jsKernels.causalSoftmax(signed(5, N), 0.5) });

type Call<Name extends keyof Kernels> = () => Parameters<Kernels[Name]>;

const STEP = { lr: 0.05, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1, step: 3 };
const mean = () => signed(3).storage;
const rstd = () => positive(3).storage;

/** Calls of every kernel that this backend has. */
const CALLS: { readonly [Name in keyof Kernels]?: readonly Call<Name>[] } = {
  matmul: [
    () => [signed(7, N), positive(N, 19), signed(19)],
    () => [turned(signed(N, 7)), turned(signed(19, N))],
    () => [signed(2, 7, N), signed(2, N, 19)],
    () => [signed(2, N), signed(N, 19)],
    () => [signed(2, N), turned(signed(19, N))],
    ...PRODUCT_FORMATS.flatMap((format): Call<'matmul'>[] => [
      () => [signed(1, format.numbers), turned(inBlocks(format, 5, format.numbers))],
      () => [signed(3, format.numbers), turned(inBlocks(format, 5, format.numbers))],
      () => [signed(3, 5), inBlocks(format, 5, format.numbers)],
    ]),
  ],
  matmulInto: [() => [signed(7, 19), signed(7, N), signed(N, 19)]],
  unary: [
    ...(['neg', 'abs', 'exp', 'square', 'tanh', 'sigmoid', 'relu', 'gelu', 'silu'] as const),
    ...(['log', 'sqrt', 'rsqrt', 'reciprocal'] as const),
  ].map((op) => () => [op, positive(3, N)]),
  binary: (['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const).flatMap((op): Call<'binary'>[] => [
    () => [op, signed(3, N), positive(3, N)],
    () => [op, signed(3, N), { ...positive(3, 1), shape: [3, N], strides: [1, 0] }],
  ]),
  geluBackward: [() => [signed(3, N), positive(3, N)]],
  siluBackward: [() => [signed(3, N), positive(3, N)]],
  where: [() => [list(Uint8Array.from({ length: N }, (_, i) => i & 1)), signed(N), positive(N)]],
  cast: [() => [list(Int32Array.from({ length: N }, (_, i) => i * i)), 'float32']],
  contiguous: [() => [signed(3, N)], () => [turned(signed(N, 5))]],
  copyInto: [() => [signed(5, N), turned(positive(N, 5))]],
  addInto: [() => [signed(5, N), positive(5, N)]],
  reduce: REDUCE_OPS.flatMap((op): Call<'reduce'>[] => [
    () => [op, signed(3, N), [1]],
    () => [op, signed(3, N), [0]],
  ]),
  softmax: [() => [signed(3, N)]],
  softmaxBackward: [() => [signed(3, N), positive(3, N)]],
  causalSoftmax: [() => [signed(5, N), 0.5]],
  causalSoftmaxBackward: [() => [weightsSeen(), positive(5, N), 0.5]],
  logSoftmax: [() => [signed(3, N)]],
  logSoftmaxBackward: [() => [signed(3, N), positive(3, N)]],
  layerNorm: [() => [signed(3, N), positive(N), signed(N), 1e-5]],
  layerNormBackward: [() => [signed(3, N), positive(3, N), signed(N), mean(), rstd(), true]],
  rmsNorm: [() => [signed(3, N), positive(N), 1e-5]],
  rmsNormBackward: [() => [signed(3, N), positive(3, N), signed(N), rstd(), true]],
  rotary: [() => [signed(2, 3, 26), signed(3, 13), positive(3, 13), false]],
  crossEntropy: [() => [signed(3, N), ids(), -100]],
  crossEntropyBackward: [() => [signed(3, N), ids(), signed(3, 2).storage, positive(1), -100]],
  embedding: [() => [signed(3, N), ids()]],
  embeddingBackwardInto: [() => [signed(3, N), ids(), positive(3, N)]],
  adamW: [() => [signed(3, N), positive(3, N), signed(3, N).storage, positive(3, N).storage, STEP]],
};

/** The first kernel that is not close to the readable one, or that no call tries; `undefined` if all are right. */
export function failingKernel(kernels: DecliningKernels): string | undefined {
  for (const name of Object.keys(kernels) as (keyof Kernels)[]) {
    const calls = CALLS[name] as readonly (() => unknown[])[] | undefined;
    if (!calls) return name;
    for (const call of calls) {
      const [wanted, found] = [jsKernels, kernels].map((table) => resultsOf(name, table, call()));
      if (!wanted.every((storage, i) => areClose(storage, found[i]))) return name;
    }
  }
  return undefined;
}

function resultsOf(name: keyof Kernels, table: DecliningKernels, args: unknown[]): readonly Storage[] {
  const answer = (table[name] as (...args: unknown[]) => unknown)(...args);
  if (answer === undefined) return [];
  return answer === true ? writtenStorages(name, args) : resultsAsList(name, answer);
}

function areClose(wanted: Storage, found: Storage | undefined): boolean {
  if (found?.length !== wanted.length) return false;
  return wanted.data.every((value, i) => {
    return (
      Object.is(value, found.data[i]) || Math.abs(value - found.data[i]) <= CLOSE * (1 + Math.abs(value))
    );
  });
}
