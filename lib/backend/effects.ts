import type { Kernels } from './kernels.ts';
import type { Storage } from './storage.ts';

/**
 * What each kernel does to storages, for code that has to know it of all kernels: an engine that keeps copies of
 * operands, a device that puts results in their places. A kernel that is new in `Kernels` has no effect here yet, and
 * that is an error of the compiler.
 */
type Effect<Kernel extends (...args: never) => unknown> =
  ReturnType<Kernel> extends true
    ? { writes: (...args: Parameters<Kernel>) => readonly Storage[] }
    : ReturnType<Kernel> extends Storage
      ? { returns: 'storage' }
      : { returns: { readonly [Name in keyof Required<ReturnType<Kernel>>]: number } };

/**
 * A kernel that answers `true` writes in place: `writes` picks these storages out of its arguments, and the version of
 * each grows. Any other returns new storages: one, or several by name, each with its place in a list of them.
 */
export const KERNEL_EFFECTS: { readonly [Name in keyof Kernels]: Effect<Kernels[Name]> } = {
  contiguous: { returns: 'storage' },
  copyInto: { writes: (target) => [target.storage] },
  addInto: { writes: (target) => [target.storage] },
  cast: { returns: 'storage' },
  unary: { returns: 'storage' },
  geluBackward: { returns: 'storage' },
  siluBackward: { returns: 'storage' },
  binary: { returns: 'storage' },
  where: { returns: 'storage' },
  reduce: { returns: 'storage' },
  argReduce: { returns: 'storage' },
  matmul: { returns: 'storage' },
  matmulInto: { writes: (target) => [target.storage] },
  softmax: { returns: 'storage' },
  softmaxBackward: { returns: 'storage' },
  logSoftmax: { returns: 'storage' },
  logSoftmaxBackward: { returns: 'storage' },
  causalSoftmax: { returns: 'storage' },
  causalSoftmaxBackward: { returns: 'storage' },
  layerNorm: { returns: { y: 0, mean: 1, rstd: 2 } },
  layerNormBackward: { returns: { dx: 0, dscale: 1, dshift: 2 } },
  rmsNorm: { returns: { y: 0, rstd: 1 } },
  rmsNormBackward: { returns: { dx: 0, dscale: 1 } },
  rotary: { returns: 'storage' },
  crossEntropy: { returns: { loss: 0, logSumExp: 1 } },
  crossEntropyBackward: { returns: 'storage' },
  embedding: { returns: 'storage' },
  embeddingBackwardInto: { writes: (target) => [target.storage] },
  gather: { returns: 'storage' },
  scatterAddInto: { writes: (target) => [target.storage] },
  scatterInto: { writes: (target) => [target.storage] },
  cumsum: { returns: 'storage' },
  adamW: { writes: (parameter, _gradient, m, v) => [parameter.storage, m, v] },
};

/** The effects as one type, for code that works on any kernel. */
interface AnyEffect {
  readonly writes?: (...args: readonly unknown[]) => readonly Storage[];
  readonly returns?: 'storage' | Readonly<Record<string, number>>;
}
const effectOf = (name: keyof Kernels): AnyEffect => KERNEL_EFFECTS[name] as AnyEffect;

/** The storages among a kernel's arguments that it writes in place; none for a kernel that returns new ones. */
export function writtenStorages(name: keyof Kernels, args: readonly unknown[]): readonly Storage[] {
  return effectOf(name).writes?.(...args) ?? [];
}

/** Of kernels that return several storages, the names of these in their order. */
const RESULT_NAMES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(KERNEL_EFFECTS as Readonly<Record<string, AnyEffect>>).map(([kernel, { returns }]) => {
    const places = typeof returns === 'object' ? returns : {};
    return [kernel, Object.keys(places).sort((a, b) => places[a] - places[b])];
  }),
);

/** The storages that a kernel returned, as a list; what it was not asked for is left out. */
export function resultsAsList(name: keyof Kernels, answer: unknown): Storage[] {
  if (effectOf(name).returns === 'storage') return [answer as Storage];
  const byName = answer as Record<string, Storage | undefined>;
  return RESULT_NAMES[name].map((result) => byName[result]).filter((storage) => storage !== undefined);
}

/** The other way round: what a kernel that returns new storages answers, from a list of them. */
export function answerFromList(name: keyof Kernels, results: readonly Storage[]): unknown {
  if (effectOf(name).returns === 'storage') return results[0];
  return Object.fromEntries(results.map((storage, place) => [RESULT_NAMES[name][place], storage]));
}
