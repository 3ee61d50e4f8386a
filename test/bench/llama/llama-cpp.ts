import { measureAnswer, NEW, PROMPT, report } from './measurement.ts';

/** `llama-cpp.ts answer FILE THREADS`: llama.cpp by node-llama-cpp, on the CPU; one measurement. */
const [, weights, threads] = process.argv.slice(2);

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
const { tokens } = model.fileInfo.metadata.tokenizer.ggml;
const ids = Array.from({ length: PROMPT }, (_, i) => (i * 7919) % tokens.length);

/** Greedy; it goes on after what would end an answer. */
async function generate() {
  let left = NEW;
  for await (const _ of sequence.evaluate([1], { temperature: 0, yieldEogToken: true }))
    if (--left === 0) break;
}

const read = async () => {
  await sequence.clearHistory();
  await sequence.evaluateWithoutGeneratingNewTokens(ids);
};
report(await measureAnswer(read, generate));
