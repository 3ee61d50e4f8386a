import { median } from '../timing.ts';
import type { Measurement } from './run.ts';

/** `llama-cpp.ts answer FILE THREADS`: llama.cpp by node-llama-cpp, on the CPU; one measurement, printed as JSON. */
const [, weights, threads] = process.argv.slice(2);
const [PROMPT, NEW, TURNS] = [512, 128, 2];

/** The part of node-llama-cpp that is used here; it is installed beside this file, if at all. */
interface Sequence {
  evaluate(tokens: number[], options: object): AsyncGenerator<number>;
  evaluateWithoutGeneratingNewTokens(tokens: number[]): Promise<void>;
  clearHistory(): Promise<void>;
}

const name = 'node-llama-cpp'; // not written in import(…), or the compiler would look for it
const { getLlama } = await import(name).catch(() => {
  console.error('install it with npm install --prefix test/bench/llama --no-package-lock --ignore-scripts');
  process.exit(1);
});
const llama = await getLlama({ gpu: false, build: 'never', maxThreads: Number(threads), logLevel: 'error' });
const model = await llama.loadModel({ modelPath: weights });
const context = await model.createContext({
  ...{ contextSize: PROMPT + NEW + 32, batchSize: PROMPT, threads: Number(threads) },
});
const sequence: Sequence = context.getSequence();
const vocabulary = 49_152;
const ids = Array.from({ length: PROMPT }, (_, i) => (i * 7919) % vocabulary);

const seconds: { prompt: number; generation: number }[] = [];
for (let turn = 0; turn <= TURNS; turn++) {
  await sequence.clearHistory();
  const start = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(ids);
  const read = performance.now();
  let left = NEW;
  // Greedy; it goes on after what would end an answer.
  for await (const _ of sequence.evaluate([1], { temperature: 0, yieldEogToken: true }))
    if (--left === 0) break;
  const end = performance.now();
  if (turn > 0) seconds.push({ prompt: read - start, generation: end - read }); // the first one warms up
}
const found: Measurement = {
  prompt: (1000 * PROMPT) / median(seconds.map((each) => each.prompt)),
  generation: (1000 * NEW) / median(seconds.map((each) => each.generation)),
  peakGB: process.resourceUsage().maxRSS / 1e6,
};
console.log(JSON.stringify(found));
process.exit(0);
