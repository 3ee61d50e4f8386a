/** A helping thread: see threads.node.ts. Its program is a text, so that no bundler has to know of it. */
const HELPER = `onmessage = ({ data: { kernels, memory, id } }) => {
  const { exports } = new WebAssembly.Instance(kernels, { env: { memory } });
  postMessage('ready');
  exports.work(id);
};`;

/**
 * Starts the helper with that number, and resolves when it runs. Await it: a worker may start only once its creator
 * has returned to the event loop.
 */
export async function startThread(
  kernels: WebAssembly.Module,
  memory: WebAssembly.Memory,
  id: number,
): Promise<void> {
  const url = URL.createObjectURL(new Blob([HELPER], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.postMessage({ kernels, memory, id });
  // One that cannot start is not an error: the other threads take its tasks.
  await new Promise<void>((resolve) => {
    worker.onmessage = worker.onerror = () => resolve();
  });
  URL.revokeObjectURL(url);
}

/** How many threads the machine runs at once. Only pages isolated from other origins share memory between threads. */
export const availableThreads = (): number =>
  globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
