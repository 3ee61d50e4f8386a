import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * A helping thread: nothing but the kernels over the shared memory. It never returns to its event loop
 * (assembly/pool.ts), so it needs no messages, and a plain script without loaders starts fast. Bun and Deno run it as a
 * module, where a name like `module` is taken.
 */
const HELPER = `
  const { workerData: { kernels, memory, id } } = require('node:worker_threads');
  new WebAssembly.Instance(kernels, { env: { memory } }).exports.work(id);
`;

/**
 * Starts the helper with that number. It does not keep the process alive, and starts while its creator computes: nobody has
 * to wait. One that cannot start, or has no memory left, is a warning and no error: the other threads take its tasks.
 */
export async function startThread(
  kernels: WebAssembly.Module,
  memory: WebAssembly.Memory,
  id: number,
): Promise<void> {
  const options = { eval: true, workerData: { kernels, memory, id }, execArgv: [], env: {} };
  try {
    new Worker(HELPER, options).on('error', warn).unref();
  } catch (error) {
    warn(error);
  }
}

let hasWarned = false;

/** Without a listener, an error of a helper would end the whole program. One line says so, however many helpers end. */
function warn(error: unknown): void {
  if (hasWarned) return;
  hasWarned = true;
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a helping thread has ended (${reason}); the other threads do its work`);
}

/** How many threads the machine runs at once. */
export const availableThreads = (): number => availableParallelism();
