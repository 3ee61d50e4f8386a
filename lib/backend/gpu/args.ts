import type { Kernels, Strided } from '../kernels.ts';
import { Storage } from '../storage.ts';

/** The arguments of a kernel of the seam, whatever they are: storages, views of storages, and settings. */
export type Args = readonly unknown[];

/** The storages that a kernel writes in place, in the order in which its results are listed. */
const WRITTEN: { [K in keyof Kernels]?: (...args: Parameters<Kernels[K]>) => Storage[] } = {
  copyInto: (target) => [target.storage],
  addInto: (target) => [target.storage],
  matmulInto: (target) => [target.storage],
  embeddingBackwardInto: (target) => [target.storage],
  scatterAddInto: (target) => [target.storage],
  adamW: (parameter, _gradient, m, v) => [parameter.storage, m, v],
};

/** The names of the results of kernels that have several. */
const NAMED_RESULTS: { [K in keyof Kernels]?: readonly string[] } = {
  layerNorm: ['y', 'mean', 'rstd'],
  layerNormBackward: ['dx', 'dscale', 'dshift'],
  crossEntropy: ['loss', 'logSumExp'],
};

export function writtenStorages(name: keyof Kernels, args: Args): Storage[] {
  const list = WRITTEN[name] as ((...args: Args) => Storage[]) | undefined;
  return list?.(...args) ?? [];
}

/** A kernel's results as a list, whatever form it answers in. */
export function resultsAsList(name: keyof Kernels, answer: unknown): Storage[] {
  const names = NAMED_RESULTS[name];
  if (!names) return [answer as Storage];
  const record = answer as Record<string, Storage | undefined>;
  return names.map((key) => record[key]).filter((storage) => storage !== undefined);
}

/** The other way round: the form in which the seam wants the results. */
export function answerFromList(name: keyof Kernels, results: readonly Storage[]): unknown {
  const names = NAMED_RESULTS[name];
  if (!names) return results[0];
  return Object.fromEntries(results.map((storage, i) => [names[i], storage]));
}

export function isStrided(arg: unknown): arg is Strided {
  return typeof arg === 'object' && arg !== null && 'strides' in arg && 'storage' in arg;
}

/** All storages among the arguments, those of views included. */
export function storagesOf(args: Args): Storage[] {
  const storages: Storage[] = [];
  mapStorages(args, (storage) => storages.push(storage));
  return storages;
}

/** The same arguments with something else in the place of each storage; the same one for the same storage. */
export function mapStorages<S = Storage, T = unknown>(args: Args, replace: (storage: S) => T): unknown[] {
  const done = new Map<S, T>();
  const replaceOnce = (storage: S) => {
    if (!done.has(storage)) done.set(storage, replace(storage));
    return done.get(storage)!;
  };
  return args.map((arg) => {
    if (isStrided(arg)) {
      return {
        storage: replaceOnce(arg.storage as S),
        shape: [...arg.shape],
        strides: [...arg.strides],
        offset: arg.offset,
      };
    }
    return arg instanceof Storage || arg instanceof Held ? replaceOnce(arg as S) : arg;
  });
}

/** Stands for a storage in arguments that are kept for later. */
export class Held<T = unknown> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}
