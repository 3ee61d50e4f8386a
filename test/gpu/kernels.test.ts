import { expect } from 'chai';
import { setBackends } from '../../lib/backend/dispatch.ts';
import type { GpuBackend } from '../../lib/backend/gpu/index.ts';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { ArithmeticOp, BinaryOp, Kernels, Strided, UnaryOp } from '../../lib/backend/kernels.ts';
import { Storage, type TypedArray } from '../../lib/backend/storage.ts';
import { rowMajorStrides, sizeOf } from '../../lib/backend/strided.ts';
import { TESTED_MODES, useMode } from './modes.ts';

/** Every kernel on the device against the reference, with operands that lie in memory in several ways. */

let seed = 1;
function random(): number {
  seed = (seed * 48271) % 2147483647;
  return seed / 2147483647;
}

const numbers = (length: number, scale = 2) => Float32Array.from({ length }, () => (random() - 0.5) * scale);
const positive = (length: number) => Float32Array.from({ length }, () => random() + 0.1);

function of(data: TypedArray, ...shape: number[]): Strided {
  return { storage: Storage.of(data), shape, strides: rowMajorStrides(shape), offset: 0 };
}
const randn = (...shape: number[]) => of(numbers(sizeOf(shape)), ...shape);
const ids = (below: number, ...shape: number[]) =>
  of(
    Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * below)),
    ...shape,
  );

function permuted(x: Strided, ...order: number[]): Strided {
  return { ...x, shape: order.map((a) => x.shape[a]), strides: order.map((a) => x.strides[a]) };
}
function expanded(x: Strided, ...shape: number[]): Strided {
  const missing = shape.length - x.shape.length;
  return {
    ...x,
    shape,
    strides: shape.map((length, a) =>
      a < missing || x.shape[a - missing] !== length ? 0 : x.strides[a - missing],
    ),
  };
}
/** x[:, …, from:to, …] along one axis. */
function sliced(x: Strided, axis: number, from: number, to: number): Strided {
  const shape = [...x.shape];
  shape[axis] = to - from;
  return { ...x, shape, offset: x.offset + from * x.strides[axis] };
}

type Args = readonly unknown[];
const fresh = (args: Args): unknown[] => {
  const copies = new Map<Storage, Storage>();
  const copy = (s: Storage) => copies.get(s) ?? copies.set(s, Storage.of(s.data.slice())).get(s)!;
  return args.map((arg) => {
    if (arg instanceof Storage) return copy(arg);
    if (typeof arg === 'object' && arg !== null && 'storage' in arg) {
      return { ...(arg as Strided), storage: copy((arg as Strided).storage) };
    }
    return arg;
  });
};
const storagesOf = (args: Args): Storage[] =>
  args.flatMap((arg) => {
    if (arg instanceof Storage) return [arg];
    return typeof arg === 'object' && arg !== null && 'storage' in arg ? [(arg as Strided).storage] : [];
  });

const IN_PLACE = new Set([
  'copyInto',
  'addInto',
  'matmulInto',
  'embeddingBackwardInto',
  'scatterAddInto',
  'adamW',
]);

function resultsOf(name: string, args: Args, answer: unknown): TypedArray[] {
  if (IN_PLACE.has(name)) return storagesOf(args).map((storage) => storage.data);
  if (answer instanceof Storage) return [answer.data];
  return Object.values(answer as Record<string, Storage>).map((storage) => storage.data);
}

/** [kernel, arguments, and, for a case that is left to the CPU, why]. */
type Case = [name: keyof Kernels, args: Args, declined?: string];

const UNARY: UnaryOp[] = ['neg', 'abs', 'exp', 'square', 'tanh', 'sigmoid', 'relu', 'gelu', 'silu'];
const UNARY_POSITIVE: UnaryOp[] = ['sqrt', 'rsqrt', 'reciprocal'];
const ARITHMETIC: ArithmeticOp[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];
const COMPARISON: BinaryOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

function cases(): Case[] {
  const list: Case[] = [];
  for (const op of UNARY) list.push(['unary', [op, of(numbers(221, 8), 13, 17)]]);
  for (const op of UNARY) list.push(['unary', [op, sliced(permuted(randn(7, 5, 3), 2, 0, 1), 1, 1, 6)]]);
  for (const op of UNARY_POSITIVE) list.push(['unary', [op, of(positive(109), 109)]]);
  list.push(['unary', ['tanh', of(Float32Array.of(-100, -20, -1, 0, 1, 20, 100), 7)]]);
  for (const op of ['gelu', 'silu'] as const)
    list.push(['unary', [op, of(Float32Array.of(-100, -20, -1, 0, 1, 20, 100), 7)]]);
  for (const op of [...ARITHMETIC, ...COMPARISON]) {
    list.push(['binary', [op, randn(13, 17), randn(13, 17)]]);
    list.push(['binary', [op, randn(3, 4, 5), expanded(randn(4, 1), 3, 4, 5)]]);
    list.push([
      'binary',
      [op, permuted(randn(5, 4, 3), 2, 1, 0), expanded(of(Float32Array.of(0.5)), 3, 4, 5)],
    ]);
  }
  list.push(['binary', ['eq', of(Float32Array.of(1, 2, 3), 3), of(Float32Array.of(1, 0, 3), 3)]]);
  list.push(['binary', ['pow', randn(31), expanded(of(Float32Array.of(3)), 31)]]);
  list.push(['binary', ['pow', randn(31), expanded(of(Float32Array.of(2)), 31)]]);
  list.push([
    'binary',
    ['add', permuted(randn(2, 3, 4, 5), 0, 2, 1, 3), permuted(randn(5, 3, 4, 2), 3, 2, 1, 0)],
  ]);
  list.push([
    'where',
    [
      of(
        Uint8Array.from({ length: 12 }, (_, i) => (i % 3) & 1),
        3,
        4,
      ),
      randn(3, 4),
      expanded(of(Float32Array.of(-Infinity)), 3, 4),
    ],
  ]);
  list.push(['geluBackward', [of(numbers(300, 12), 300), randn(300)]]);
  list.push(['siluBackward', [of(numbers(300, 12), 300), randn(300)]]);
  list.push(['contiguous', [permuted(randn(2, 7, 3, 5), 0, 2, 1, 3)]]);
  list.push(['contiguous', [permuted(randn(3, 109, 4, 8), 0, 2, 1, 3)]]);
  list.push(['contiguous', [sliced(randn(3, 7, 5), 1, 6, 7)]]);
  list.push(['contiguous', [expanded(randn(7, 1), 2, 7, 5)]]);
  list.push(['cast', [randn(5, 3), 'int32']], ['cast', [randn(5, 3), 'bool']]);
  list.push(['copyInto', [randn(3, 4), expanded(randn(4), 3, 4)]]);
  list.push(['copyInto', [sliced(randn(3, 4, 5), 2, 1, 3), randn(3, 4, 2)]]);
  list.push(['addInto', [randn(7, 3), randn(7, 3)]]);
  list.push(['addInto', [sliced(randn(3, 7, 5), 1, 6, 7), randn(3, 1, 5)]]);
  list.push(['addInto', [permuted(sliced(randn(3, 7, 5), 0, 1, 3), 2, 0, 1), randn(5, 2, 7)]]);
  for (const [m, k, n] of [
    [5, 3, 7],
    [1, 17, 9],
    [17, 9, 1],
    [109, 33, 20],
    [4, 3072, 12],
    [257, 1, 16],
  ]) {
    list.push(['matmul', [randn(m, k), randn(k, n)]]);
    list.push(['matmul', [randn(m, k), permuted(randn(n, k), 1, 0)]]);
    list.push(['matmul', [permuted(randn(k, m), 1, 0), randn(k, n)]]);
    list.push(['matmul', [permuted(randn(k, m), 1, 0), permuted(randn(n, k), 1, 0)]]);
    list.push(['matmul', [randn(m, k), permuted(randn(n, k), 1, 0), randn(n)]]);
    list.push(['matmulInto', [randn(m, n), randn(m, k), randn(k, n)]]);
    list.push(['matmulInto', [randn(m, n), permuted(randn(k, m), 1, 0), randn(k, n)]]);
  }
  // Attention: queries, keys and values are [batch, tokens, heads, size] seen as [batch, heads, tokens, size].
  const heads = () => permuted(randn(2, 11, 3, 8), 0, 2, 1, 3);
  list.push(['matmul', [heads(), permuted(heads(), 0, 1, 3, 2)]]);
  list.push(['matmul', [randn(2, 3, 11, 11), heads()]]);
  list.push(['matmul', [permuted(randn(2, 3, 11, 11), 0, 1, 3, 2), heads()]]);
  list.push(['matmul', [randn(4, 5, 6), expanded(randn(6, 7), 4, 6, 7)]]);
  for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]) {
    list.push(['reduce', ['sum', randn(5, 7, 9), axes]]);
    list.push(['reduce', ['max', permuted(randn(5, 7, 9), 1, 2, 0), axes]]);
  }
  list.push(
    ['reduce', ['sum', of(positive(101 * 199), 101, 199), [0, 1]]],
    ['reduce', ['min', randn(3, 2000), [1]]],
  );
  list.push(['argReduce', ['max', randn(7, 33), 1]], ['argReduce', ['min', randn(7, 33), 0]]);
  for (const kernel of ['softmax', 'logSoftmax'] as const)
    list.push([kernel, [of(numbers(7 * 33, 20), 7, 33)]]);
  list.push(['softmaxBackward', [of(positive(7 * 33), 7, 33), randn(7, 33)]]);
  list.push(['logSoftmaxBackward', [randn(7, 33), randn(7, 33)]]);
  list.push(['causalSoftmax', [of(numbers(2 * 3 * 17 * 17, 20), 2, 3, 17, 17), 0.25]]);
  list.push(['causalSoftmax', [of(numbers(2 * 3 * 5 * 17, 20), 2, 3, 5, 17), 0.25]]);
  list.push(['causalSoftmaxBackward', [of(positive(6 * 17 * 17), 2, 3, 17, 17), randn(2, 3, 17, 17), 0.25]]);
  list.push(['layerNorm', [of(numbers(9 * 31, 6), 9, 31), randn(31), randn(31), 1e-5]]);
  for (const parameters of [true, false]) {
    const args = [
      randn(9, 31),
      randn(9, 31),
      randn(31),
      Storage.of(numbers(9)),
      Storage.of(positive(9)),
      parameters,
    ];
    list.push(['layerNormBackward', args]);
  }
  list.push(['rmsNorm', [of(numbers(9 * 31, 6), 9, 31), randn(31), 1e-5]]);
  for (const parameters of [true, false]) {
    list.push([
      'rmsNormBackward',
      [randn(9, 31), randn(9, 31), randn(31), Storage.of(positive(9)), parameters],
    ]);
  }
  for (const back of [true, false]) list.push(['rotary', [heads(), randn(11, 4), randn(11, 4), back]]);
  list.push(['crossEntropy', [of(numbers(9 * 31, 10), 9, 31), ids(31, 9), -100]]);
  list.push(['crossEntropy', [randn(4, 5), of(Int32Array.of(1, -100, 4, 0), 4), -100]]);
  list.push([
    'crossEntropyBackward',
    [randn(4, 5), of(Int32Array.of(1, -100, 4, 0), 4), Storage.of(numbers(8)), randn(1), -100],
  ]);
  list.push(['embedding', [randn(50, 9), ids(50, 4, 6)]]);
  list.push(['embeddingBackwardInto', [randn(50, 9), ids(50, 24), randn(24, 9)]]);
  list.push(['gather', [randn(4, 6, 3), 1, ids(6, 4, 2, 3)]]);
  list.push(['scatterAddInto', [randn(4, 6, 3), 1, ids(6, 4, 2, 3), randn(4, 2, 3)]]);
  const step = { lr: 1e-2, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1, step: 3 };
  list.push(['adamW', [randn(5, 7), randn(5, 7), Storage.of(numbers(35)), Storage.of(positive(35)), step]]);
  return list;
}

const shapeOf = (arg: unknown) =>
  typeof arg === 'object' && arg !== null && 'shape' in arg ? `[${(arg as Strided).shape}]` : '';
const title = ([name, args]: Case) =>
  `${name} ${typeof args[0] === 'string' ? args[0] : ''} ${args.map(shapeOf).filter(Boolean).join(' ')}`;

/** 1e-4 of the largest number: a float32 sum of thousands of terms stays well below. */
function expectClose(found: TypedArray, expected: TypedArray): void {
  expect(found.length).to.equal(expected.length);
  let largest = 0;
  for (const x of expected) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i])) continue;
    expect(found[i], `at ${i}`).to.be.closeTo(expected[i], 1e-4 * largest);
  }
}

/** As many as an engine keeps compiled. */
const KERNELS_KEPT = 512;

for (const mode of TESTED_MODES) {
  describe(`gpu kernels in ${mode} mode`, () => {
    let gpu: GpuBackend;

    beforeEach(async function () {
      gpu = await useMode(this, mode);
    });
    after(() => setBackends([]));

    /** Makes the first float operand one that a kernel has computed, so that the device takes the case. */
    const onDevice = (args: Args) => {
      const storage = storagesOf(args).find(({ dtype }) => dtype === 'float32')!;
      // Not more rows than the software drivers' textures have.
      const n = [199, 1, 16].find((c) => storage.length % c === 0 && storage.length / c <= 4096)!;
      const identity = of(
        Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
        n,
        n,
      );
      const copy = gpu.kernels.matmul!(of(storage.data, storage.length / n, n), identity)!;
      return args.map((arg) => {
        if (arg === storage) return copy;
        if (storagesOf([arg])[0] === storage) return { ...(arg as Strided), storage: copy };
        return arg;
      });
    };

    it('reads numbers of a kernel that had to make room for others', () => {
      const x = of(positive(7), 7);
      const early = gpu.kernels.unary!('sqrt', x)!;
      for (let length = 8; length < 8 + KERNELS_KEPT; length++) {
        gpu.kernels.unary!('sqrt', randn(length));
      }
      expectClose(early.data, Float32Array.from(x.storage.data, Math.sqrt));
      expect(gpu.lost, 'the device').to.equal(undefined);
    }).timeout(300_000);

    for (const test of cases()) {
      it(title(test), function () {
        this.timeout(60_000);
        const [name, args] = test;
        const reference = fresh(args);
        const expected = resultsOf(
          name,
          reference,
          (jsKernels[name] as (...args: Args) => unknown)(...reference),
        );
        const resident = onDevice(fresh(args));
        const answer = (gpu.kernels[name] as (...args: Args) => unknown)(...resident);
        expect(gpu.lost, 'the device').to.equal(undefined);
        expect(answer, 'the answer').not.to.equal(undefined);
        const found = resultsOf(name, resident, answer);
        for (const [i, numbers] of expected.entries()) expectClose(found[i], numbers);
      });
    }
  });
}
