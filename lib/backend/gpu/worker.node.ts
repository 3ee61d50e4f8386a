import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Command, GpuMode, Greeting } from './commands.ts';
import { PULSE } from './commands.ts';
import { openEngine } from './engine/index.ts';
import { Executor } from './executor.ts';

/**
 * The worker that owns the GPU. WebGPU answers with promises only, so it cannot be used from a synchronous
 * call; from here it can, because the thread that waits is another one.
 */
const { mode, control } = workerData as { mode: GpuMode; control: SharedArrayBuffer };
const port = parentPort!;

// A kernel may run, or compile, for longer than anybody would wait for a sign of life. So a thread of its own
// gives it, which ends when this one does, whatever the reason.
const PULSE_THREAD = `
  const words = new Int32Array(require('node:worker_threads').workerData);
  for (;;) {
    Atomics.add(words, ${PULSE}, 1);
    Atomics.wait(words, ${PULSE}, Atomics.load(words, ${PULSE}), 100);
  }`;
new Worker(PULSE_THREAD, { eval: true, workerData: control, execArgv: [] }).unref();

const greet = (greeting: Greeting) => port.postMessage(greeting);

try {
  const engine = await openEngine(mode);
  const executor = new Executor(engine, control, () => process.exit());
  let last = Promise.resolve();
  port.on('message', (commands: Command[]) => {
    last = last.then(() => executor.execute(commands));
  });
  greet({ device: engine.device, limits: engine.limits });
} catch (error) {
  greet({ unavailable: (error as Error).message.split('\n')[0] });
}
