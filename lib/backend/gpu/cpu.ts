import { activeBackends } from '../dispatch.ts';
import { jsKernels } from '../js/index.ts';
import type { Kernels } from '../kernels.ts';
import { Storage, type TypedArray } from '../storage.ts';
import { type Args, mapStorages, resultsAsList, storagesOf, writtenStorages } from './args.ts';

/**
 * Runs a kernel on the fastest CPU backend and gives its results as a list. What it would write in place is
 * copied first, so nothing of the arguments changes: this is for checking the device and for standing in.
 */
export function runOnCpu(name: keyof Kernels, args: Args): TypedArray[] {
  const written = writtenStorages(name, args);
  const copies: Storage[] = [];
  const safe = mapStorages(args, (storage: Storage) => {
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
  return mapStorages(args, (storage: Storage) =>
    storage.isOnHost ? storage : Storage.of(storage.deviceCopy('gpu')!.read()),
  );
}

export { storagesOf };
