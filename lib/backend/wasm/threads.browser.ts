/** A helping thread: see threads.node.ts. Its program is a text, so that no bundler has to know of it. */
const HELPER = `onmessage = ({ data: { module, memory, id } }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  postMessage('ready');
  exports.work(id);
};`;

/**
 * Starts helpers 1 … count, and resolves when all of them run. To be awaited: a worker may start only once its creator has
 * returned to the event loop.
 */
export async function startThreads(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  count: number,
): Promise<void> {
  const url = URL.createObjectURL(new Blob([HELPER], { type: 'text/javascript' }));
  const helpers = Array.from({ length: count }, (_, i) => {
    const worker = new Worker(url);
    worker.postMessage({ module, memory, id: i + 1 });
    // One that cannot start is no error: the other threads take its tasks.
    return new Promise<void>((resolve) => {
      worker.onmessage = worker.onerror = () => resolve();
    });
  });
  await Promise.all(helpers);
  URL.revokeObjectURL(url);
}

/** How many threads the machine runs at once. Memory is shared between threads on pages isolated from other origins only. */
export const availableThreads = (): number =>
  globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
