import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { GpuMode } from '../protocol.ts';
import { pulseProgram, serve } from '../worker/serve.ts';
import { loadGpuJs } from './gpujs.ts';

/** The worker that owns the GPU, as a thread of Node. */
const { mode, control } = workerData as { mode: GpuMode; control: SharedArrayBuffer };
const port = parentPort!;

const pulse = pulseProgram("require('node:worker_threads').workerData");
new Worker(pulse, { eval: true, workerData: control, execArgv: [] }).unref();

await serve(mode, control, {
  loadGpuJs,
  greet: (greeting) => port.postMessage(greeting),
  onCommands: (listener) => port.on('message', listener),
  leave: () => process.exit(),
});
