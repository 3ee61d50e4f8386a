import { expect } from 'chai';
import { writtenStorages } from '../../lib/backend/effects.ts';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { Kernels, Strided } from '../../lib/backend/kernels.ts';
import { Storage } from '../../lib/backend/storage.ts';
import { rowMajorStrides, sizeOf } from '../../lib/backend/strided.ts';
import { backends } from './wasmChecks.ts';

/** What every kernel does to storages, on every CPU backend: versions grow where something is written, and only there. */

let views = 0;
/** A view of new numbers above zero, no two alike. */
const view = (...shape: number[]): Strided => ({
  storage: Storage.of(Float32Array.from({ length: sizeOf(shape) }, (_, i) => 1 + i / 8 + ++views / 64)),
  shape,
  strides: rowMajorStrides(shape),
  offset: 0,
});
const int32 = (...numbers: number[]): Strided => ({
  storage: Storage.of(Int32Array.from(numbers)),
  shape: [numbers.length],
  strides: [1],
  offset: 0,
});
const step = { lr: 1e-2, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1, step: 1 };

/** A call of each kernel: one that is new has to be here too. */
const CALLS: { [Name in keyof Kernels]: () => Parameters<Kernels[Name]> } = {
  contiguous: () => [view(2, 3)],
  copyInto: () => [view(2, 3), view(2, 3)],
  addInto: () => [view(2, 3), view(2, 3)],
  cast: () => [int32(1, 2), 'float32'],
  unary: () => ['exp', view(2, 3)],
  geluBackward: () => [view(2, 3), view(2, 3)],
  siluBackward: () => [view(2, 3), view(2, 3)],
  binary: () => ['add', view(2, 3), view(2, 3)],
  where: () => [{ ...view(2), storage: Storage.of(Uint8Array.of(0, 1)) }, view(2), view(2)],
  reduce: () => ['sum', view(2, 3), [1]],
  argReduce: () => ['max', view(2, 3), 1],
  matmul: () => [view(2, 3), view(3, 4), view(4)],
  matmulInto: () => [view(2, 4), view(2, 3), view(3, 4)],
  softmax: () => [view(2, 3)],
  softmaxBackward: () => [view(2, 3), view(2, 3)],
  logSoftmax: () => [view(2, 3)],
  logSoftmaxBackward: () => [view(2, 3), view(2, 3)],
  causalSoftmax: () => [view(3, 3), 0.5],
  causalSoftmaxBackward: () => [view(3, 3), view(3, 3), 0.5],
  layerNorm: () => [view(2, 3), view(3), view(3), 1e-5],
  layerNormBackward: () => [view(2, 3), view(2, 3), view(3), view(2).storage, view(2).storage, true],
  rmsNorm: () => [view(2, 3), view(3), 1e-5],
  rmsNormBackward: () => [view(2, 3), view(2, 3), view(3), view(2).storage, true],
  rotary: () => [view(2, 3, 4), view(3, 2), view(3, 2), false],
  crossEntropy: () => [view(2, 3), int32(0, 2), -100],
  crossEntropyBackward: () => [view(2, 3), int32(0, 2), view(2, 2).storage, view(1), -100],
  embedding: () => [view(4, 3), int32(3, 0)],
  embeddingBackwardInto: () => [view(4, 3), int32(3, 0), view(2, 3)],
  gather: () => [view(4), 0, int32(3, 0)],
  scatterAddInto: () => [view(4), 0, int32(3, 0), view(2)],
  scatterInto: () => [view(4), 0, int32(3, 0), view(2)],
  cumsum: () => [view(2, 3), 1, true],
  adamW: () => [view(2, 3), view(2, 3), view(2, 3).storage, view(2, 3).storage, step],
};

/** The storages among a kernel's arguments. */
const storagesOf = (args: readonly unknown[]): Storage[] =>
  args.map((arg) => (arg instanceof Storage ? arg : (arg as Strided)?.storage)).filter(Boolean);

describe('what kernels write in place', () => {
  for (const name of Object.keys(CALLS) as (keyof Kernels)[]) {
    for (const { label, kernels } of [
      { label: 'js', kernels: jsKernels },
      { label: 'wasm', kernels: backends[0].kernels },
    ]) {
      const kernel = kernels[name] as ((...args: unknown[]) => unknown) | undefined;
      if (!kernel) continue;
      it(`${name} on ${label} raises the versions that effects.ts says, and no others`, () => {
        const args = CALLS[name]();
        const written = writtenStorages(name, args);
        const before = storagesOf(args).map((storage) => [...storage.data]);
        const answer = kernel(...args);
        expect(answer === true, 'it answers `true` if it writes in place').to.equal(written.length > 0);
        storagesOf(args).forEach((storage, i) => {
          expect(storage.version > 0, `argument ${i}'s version grows`).to.equal(written.includes(storage));
          expect([...storage.data], `argument ${i}`)[written.includes(storage) ? 'not' : 'to'].eql(before[i]);
        });
      });
    }
  }
});
