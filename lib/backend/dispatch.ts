import { resultsAsList } from './effects.ts';
import { jsKernels } from './js/index.ts';
import type { Backend, Kernels, MemoryUse } from './kernels.ts';
import { type Storage, setAllocator } from './storage.ts';

/**
 * `kernels.matmul(…)` asks the active backends in turn, fastest first, and takes the first answer that is
 * not `undefined`. The last one, `js`, has every kernel and never declines.
 */

const js: Backend = { name: 'js', kernels: jsKernels };

let chain: readonly Backend[] = [js];
let listed: Storage[] | undefined;

function ask(name: keyof Kernels, args: unknown[]): unknown {
  for (const backend of chain) {
    const kernel = backend.kernels[name] as ((...args: unknown[]) => unknown) | undefined;
    const answer = kernel?.(...args);
    if (answer === undefined) continue;
    if (listed && answer !== true) listed.push(...resultsAsList(name, answer));
    return answer;
  }
  throw new Error(`no backend answers the kernel ${name}`);
}

function dispatched(): Kernels {
  const table: Record<string, (...args: unknown[]) => unknown> = {};
  for (const name of Object.keys(jsKernels) as (keyof Kernels)[]) {
    table[name] = (...args) => ask(name, args);
  }
  return table as unknown as Kernels;
}

/** Every kernel, run by whatever backend is active. */
export const kernels: Kernels = dispatched();

/** Makes these backends answer, in this order; `js` is always the last. */
export function setBackends(backends: readonly Backend[]): void {
  for (const old of chain) if (!backends.includes(old)) old.close?.();
  chain = [...backends, js];
  setAllocator(backends.find((backend) => backend.allocator)?.allocator ?? null);
}

/** Runs `body`, and adds every storage that a kernel makes meanwhile to the list, and to that of a call around this one. */
export function listingStorages(list: Storage[], body: () => void): void {
  const before = listed;
  listed = list;
  try {
    body();
  } finally {
    listed = before;
    if (before) for (const storage of list) before.push(storage);
  }
}

/** Adds a storage to that list which no kernel has made, and which nobody but its maker has. */
export function listStorage(storage: Storage): void {
  listed?.push(storage);
}

/** The active backends, the first asked first. */
export function activeBackends(): readonly Backend[] {
  return chain;
}

/** How much memory the CPU engine uses; zeros where another engine is active, whose tensors are ordinary arrays. */
export function memoryUse(): MemoryUse {
  const engine = chain.find((backend) => backend.memoryUse);
  return engine?.memoryUse?.() ?? { inUse: 0, reserved: 0 };
}
