import { activeBackends } from '../../dispatch.ts';
import { resultsAsList, writtenStorages } from '../../effects.ts';
import { jsKernels } from '../../js/index.ts';
import type { Kernels, Strided } from '../../kernels.ts';
import { Storage, type TypedArray } from '../../storage.ts';

/** The arguments of a kernel of the seam: storages, views of storages, and settings. */
export type Args = readonly unknown[];

/**
 * Runs a kernel on the fastest CPU backend and gives its results as a list, to check the device with. A storage that the
 * kernel would write in place is copied first, so the arguments do not change.
 */
export function runOnCpu(name: keyof Kernels, args: Args): TypedArray[] {
  const written = writtenStorages(name, args);
  const copies: Storage[] = [];
  const safe = mapStorages(args, (storage) => {
    if (!written.includes(storage)) return storage;
    const copy = Storage.of(storage.data.slice());
    copies[written.indexOf(storage)] = copy;
    return copy;
  });
  const answer = ask(name, safe);
  const results = written.length > 0 ? copies : resultsAsList(name, answer);
  return results.map((storage) => storage.data);
}

/** The backends after the GPU's, in their order; the last resort is the reference. */
function ask(name: keyof Kernels, args: Args): unknown {
  for (const backend of activeBackends()) {
    if (backend.name === 'gpu') continue;
    const kernel = backend.kernels[name] as ((...args: Args) => unknown) | undefined;
    const answer = kernel?.(...args);
    if (answer !== undefined) return answer;
  }
  return (jsKernels[name] as (...args: Args) => unknown)(...args);
}

/** The same arguments with their numbers on the host, without changing where the storages are. */
export function onHost(args: Args): unknown[] {
  return mapStorages(args, (storage) => {
    const copy = storage.isOnHost ? undefined : storage.deviceCopy('gpu');
    return copy ? Storage.of(copy.read()) : storage;
  });
}

export function isStrided(arg: unknown): arg is Strided {
  return typeof arg === 'object' && arg !== null && 'strides' in arg && 'storage' in arg;
}

/** The same arguments with another storage in place of each; the same one for the same storage. */
function mapStorages(args: Args, replace: (storage: Storage) => Storage): unknown[] {
  const done = new Map<Storage, Storage>();
  const replaceOnce = (storage: Storage) => {
    if (!done.has(storage)) done.set(storage, replace(storage));
    return done.get(storage)!;
  };
  return args.map((arg) => {
    if (isStrided(arg)) {
      const { storage, shape, strides, offset } = arg;
      return { storage: replaceOnce(storage), shape, strides, offset };
    }
    return arg instanceof Storage ? replaceOnce(arg) : arg;
  });
}
