import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * A helping thread: nothing but the kernels over the shared memory. It never returns to its event loop until `stop`
 * (assembly/pool.ts) ends it, so it needs no messages, and a plain script without loaders starts fast.
 */
const HELPER = `
  const { workerData: { module, memory, id } } = require('node:worker_threads');
  new WebAssembly.Instance(module, { env: { memory } }).exports.work(id);
`;

/** Starts helpers 1 … count. They do not keep the process alive, and start while their creator computes: nobody has to wait. */
export async function startThreads(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  count: number,
): Promise<void> {
  for (let id = 1; id <= count; id++) {
    const options = { eval: true, workerData: { module, memory, id }, execArgv: [], env: {} };
    new Worker(HELPER, options).unref();
  }
}

/** How many threads the machine runs at once. */
export const availableThreads = (): number => availableParallelism();
