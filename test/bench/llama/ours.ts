import { KeyValueCache } from '../../../chapters/chapter04/index.ts';
import { generateSteps } from '../../../chapters/chapter05/index.ts';
import { LlamaClassifier, loadGguf, makeClassifier } from '../../../chapters/llama/index.ts';
import { cat, manualSeed, randint, tensor, tidy, useBackend } from '../../../lib/index.ts';
import { randomBatch, trainingStep } from '../model.ts';
import { median } from '../timing.ts';
import { MESSAGES, measureAnswer, NEW, PROMPT, report, type Task, TURNS } from './measurement.ts';

/** `ours.ts quantised|float32 answer|step|messages FILE THREADS`: one measurement. */
const [kind, task, weights, threads] = process.argv.slice(2);

await useBackend('wasm', { threads: Number(threads) });
const { model } = await loadGguf(weights, { quantised: kind === 'quantised' });
manualSeed(1);
report((task as Task) === 'answer' ? await answer() : step(task === 'messages'));

/** Greedy; it goes on after what would end an answer. */
function answer() {
  const prompt = randint(0, model.config.vocabSize, [1, PROMPT]);
  const ids = cat([prompt, tensor([[0]], { dtype: 'int32' })], 1);
  const { contextLength: contextSize } = model.config;
  let cache: KeyValueCache;
  const read = () => {
    cache = new KeyValueCache();
    tidy(() => model.forward(prompt, { past: cache, lastOnly: true }));
  };
  const generate = () => {
    for (const next of generateSteps(model, ids, { maxNewTokens: NEW, contextSize, cache })) next.item();
  };
  return measureAnswer(read, generate);
}

function step(messages: boolean) {
  makeClassifier(model, { rank: 16, alpha: 16, seed: 1 });
  const PAD = 0;
  const train = trainingStep(new LlamaClassifier(model, PAD));
  const { ids, labels } = randomBatch(8, messages ? Math.max(...MESSAGES) : 120, model.config.vocabSize);
  const rows = ids.toArray() as number[][];
  const text = rows.map((row, i) =>
    row.map((id, at) => (messages && at >= MESSAGES[i] ? PAD : Math.max(1, id))),
  );
  const batch = { ids: tensor(text, { dtype: 'int32' }), labels };
  const seconds: number[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const start = performance.now();
    train(batch);
    if (turn > 0) seconds.push((performance.now() - start) / 1000); // the first one warms up
  }
  return { stepSeconds: median(seconds) };
}
