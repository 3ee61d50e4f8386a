import type { SpawnWorker, WorkerPort } from '../device/bridge.ts';
import { type Greeting, LEAVING, STATE } from '../protocol.ts';

/**
 * Starts the worker in a browser. The caller must be a worker itself, since only workers may wait, on a page that is
 * isolated from other origins (`Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Embedder-Policy:
 * require-corp`), since only those share memory.
 */
export const spawnWorker: SpawnWorker = (mode, control) => {
  if (mode === 'headlessgl') return Promise.resolve({ unavailable: 'it is for Node' });
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.postMessage({ mode, control });
  const port: WorkerPort = {
    post: (commands, transfer) => worker.postMessage(commands, [...transfer]),
    // A browser does not say when a worker ends; its missing pulse shows it.
    onEnd: (listener) => worker.addEventListener('error', listener),
    terminate: () => {
      Atomics.store(new Int32Array(control), STATE, LEAVING);
      worker.postMessage([]);
    },
  };
  return new Promise((resolve) => {
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<Greeting>) => {
        if ('unavailable' in data) worker.terminate();
        resolve('unavailable' in data ? data : { port, ...data });
      },
      { once: true },
    );
    worker.addEventListener('error', ({ message }) => resolve({ unavailable: message }), { once: true });
  });
};
