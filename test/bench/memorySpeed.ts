import { Worker } from 'node:worker_threads';

/** Compares two equal pieces of memory, far larger than any cache, for a second: Node's own compiled code reads them. */
const READER = `
const { parentPort } = require('node:worker_threads');
const [a, b] = [Buffer.alloc(1 << 27, 1), Buffer.alloc(1 << 27, 1)];
a.compare(b);
parentPort.once('message', () => {
  const start = performance.now();
  let bytes = 0;
  while (performance.now() - start < 1000) {
    a.compare(b);
    bytes += a.length + b.length;
  }
  parentPort.postMessage(bytes / (performance.now() - start) / 1e6);
});
parentPort.postMessage('ready');`;

/** How fast memory is read by so many threads together, in 10⁹ bytes a second. */
export async function memorySpeed(threads: number): Promise<number> {
  const readers = Array.from({ length: threads }, () => new Worker(READER, { eval: true }));
  const answers = () =>
    Promise.all(readers.map((reader) => new Promise((resolve) => reader.once('message', resolve))));
  await answers();
  for (const reader of readers) reader.postMessage('go');
  const speeds = (await answers()) as number[];
  await Promise.all(readers.map((reader) => reader.terminate()));
  return speeds.reduce((sum, speed) => sum + speed, 0);
}
