import { KeyValueCache } from '../../../chapters/chapter04/index.ts';
import { continueIds, loadGguf, makeClassifier } from '../../../chapters/llama/index.ts';
import { manualSeed, randint, tensor, tidy, useBackend } from '../../../lib/index.ts';
import { trainingStep } from '../model.ts';
import { median } from '../timing.ts';
import type { Measurement, Task } from './run.ts';

/** `ours.ts quantised|float32 answer|step FILE THREADS`: one measurement, printed as JSON. */
const [kind, task, weights, threads] = process.argv.slice(2);
const [PROMPT, NEW, TURNS] = [512, 128, 2];

await useBackend('wasm', { threads: Number(threads) });
const loaded = await loadGguf(weights, { quantised: kind === 'quantised' });
const { model } = loaded;
manualSeed(1);
const found = (task as Task) === 'answer' ? answer() : step();
console.log(JSON.stringify({ ...found, peakGB: process.resourceUsage().maxRSS / 1e6 } satisfies Measurement));
process.exit(0);

/** Greedy; it goes on after what would end an answer. */
function answer(): Omit<Measurement, 'peakGB'> {
  const prompt = randint(0, model.config.vocabSize, [1, PROMPT]);
  const ids = prompt.toFlatArray() as number[];
  const endless = { model, endId: -1 };
  const seconds: { prompt: number; generation: number }[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const cache = new KeyValueCache();
    const start = performance.now();
    tidy(() => model.forwardLast(prompt, cache));
    cache.note(ids);
    const read = performance.now();
    for (const _ of continueIds(endless, [...ids, 0], { maxNewTokens: NEW }, cache));
    const end = performance.now();
    if (turn > 0) seconds.push({ prompt: read - start, generation: end - read }); // the first one warms up
  }
  return {
    prompt: (1000 * PROMPT) / median(seconds.map((each) => each.prompt)),
    generation: (1000 * NEW) / median(seconds.map((each) => each.generation)),
  };
}

function step(): Omit<Measurement, 'peakGB'> {
  makeClassifier(model, { rank: 16, alpha: 16, seed: 1 });
  const train = trainingStep(model);
  const batch = {
    ids: randint(0, model.config.vocabSize, [8, 120]),
    labels: tensor([0, 1, 0, 1, 0, 1, 0, 1], { dtype: 'int32' }),
  };
  const seconds: number[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const start = performance.now();
    train(batch);
    if (turn > 0) seconds.push((performance.now() - start) / 1000);
  }
  return { stepSeconds: median(seconds) };
}
