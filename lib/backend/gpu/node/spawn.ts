import { Worker } from 'node:worker_threads';
import type { SpawnWorker } from '../device/bridge.ts';
import { type Greeting, LEAVING, STATE } from '../protocol.ts';
import { preflight } from './preflight.ts';

const GREETING_TIMEOUT_MS = 30_000;

/** The program that starts the worker: Node's workers do not take over tsx's way to load TypeScript from their creator. */
function bootProgram(): string {
  const program = new URL('./worker.ts', import.meta.url).href;
  if (!program.endsWith('.ts')) return `import(${JSON.stringify(program)});`;
  return `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
    register();
    return import(${JSON.stringify(program)});
  });`;
}

/** Starts the worker as a thread of Node. It keeps no process alive. */
export const spawnWorker: SpawnWorker = (mode, control) => {
  const unavailable = preflight(mode);
  if (unavailable) return Promise.resolve({ unavailable });
  const worker = new Worker(bootProgram(), { eval: true, execArgv: [], workerData: { mode, control } });
  let ended = false;
  const listeners: (() => void)[] = [];
  const end = () => {
    ended = true;
    for (const listener of listeners) listener();
  };
  worker.once('exit', end);
  worker.on('error', end);
  const port = {
    post: worker.postMessage.bind(worker),
    onEnd: (listener: () => void) => listeners.push(listener),
    terminate: () => {
      Atomics.store(new Int32Array(control), STATE, LEAVING);
      worker.postMessage([]);
    },
  };
  return new Promise((resolve) => {
    const greet = (greeting: Greeting) => {
      clearTimeout(timer);
      worker.unref();
      resolve('unavailable' in greeting ? greeting : { port, ...greeting });
      if ('unavailable' in greeting) void worker.terminate();
    };
    const timer = setTimeout(() => greet({ unavailable: 'the device does not answer' }), GREETING_TIMEOUT_MS);
    worker.once('message', greet);
    worker.once('error', (error: Error) => greet({ unavailable: error.message.split('\n')[0] }));
    worker.once('exit', () => ended && greet({ unavailable: 'its worker ended at the start' }));
  });
};
