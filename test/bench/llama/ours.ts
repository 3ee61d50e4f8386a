import { KeyValueCache } from '../../../chapters/chapter04/index.ts';
import { continueIds, loadGguf, makeClassifier } from '../../../chapters/llama/index.ts';
import { manualSeed, randint, tidy, useBackend } from '../../../lib/index.ts';
import { randomBatch, trainingStep } from '../model.ts';
import { median } from '../timing.ts';
import { measureAnswer, NEW, PROMPT, report, type Task, TURNS } from './measurement.ts';

/** `ours.ts quantised|float32 answer|step FILE THREADS`: one measurement. */
const [kind, task, weights, threads] = process.argv.slice(2);

await useBackend('wasm', { threads: Number(threads) });
const { model } = await loadGguf(weights, { quantised: kind === 'quantised' });
manualSeed(1);
report((task as Task) === 'answer' ? await answer() : step());

/** Greedy; it goes on after what would end an answer. */
function answer() {
  const prompt = randint(0, model.config.vocabSize, [1, PROMPT]);
  const ids = prompt.toFlatArray() as number[];
  let cache: KeyValueCache;
  const read = () => {
    cache = new KeyValueCache();
    tidy(() => model.forwardLast(prompt, cache));
    cache.note(ids);
  };
  const generate = () => {
    for (const _ of continueIds({ model, endId: -1 }, [...ids, 0], { maxNewTokens: NEW }, cache));
  };
  return measureAnswer(read, generate);
}

function step() {
  makeClassifier(model, { rank: 16, alpha: 16, seed: 1 });
  const train = trainingStep(model);
  const batch = randomBatch(8, 120, model.config.vocabSize);
  const seconds: number[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const start = performance.now();
    train(batch);
    if (turn > 0) seconds.push((performance.now() - start) / 1000); // the first one warms up
  }
  return { stepSeconds: median(seconds) };
}
