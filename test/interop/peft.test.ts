import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt } from '../../chapters/chapter05/index.ts';
import { loadGguf, makeClassifier } from '../../chapters/llama/index.ts';
import { io, manualSeed, type NestedArray, nn, noGrad, randn, tensor, useBackend } from '../../lib/index.ts';
import { expectTensor } from '../support/close.ts';

/** Adapters written here, loaded by PEFT itself. LLMS_PYTHON names the Python that has it; without it nothing is run. */
const PYTHON = process.env.LLMS_PYTHON ?? 'python3';
const FIXTURE = fileURLToPath(new URL('../fixtures/peft', import.meta.url));
const TINY_LLAMA = fileURLToPath(new URL('../fixtures/llama/tiny', import.meta.url));
const BASE = join(FIXTURE, 'base', 'model.safetensors');
const { ids, ...sizes } = JSON.parse(readFileSync(join(FIXTURE, 'about.json'), 'utf8'));

const cases: [string, Partial<nn.LoRAOptions>, number?][] = [
  ['on every Linear, the head too', {}],
  ['on queries and values', { targets: ['W_query', 'W_value'] }],
  [
    'with rsLoRA, of another rank',
    { scaling: 'rslora', rank: 3, targets: ['W_query', 'W_key', 'W_value', 'layers.0'] },
  ],
  ['on one layer', { targets: ['trf_blocks.1.att.out_proj'] }],
  ['of a classifier, with its bias', {}, 3],
];

describe('adapters written here, in PEFT', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'interop-'));
  after(() => rmSync(folder, { recursive: true }));

  it("give PEFT's model our logits", async function () {
    if (!hasPeft()) this.skip();
    await useBackend('js');
    manualSeed(5);
    const adapters: { folder: string; classes: number }[] = [];
    const ours = [];
    for (const [i, [, options, classes = 0]] of cases.entries()) {
      const model = nn.init.skip(
        () =>
          new GPTModel({
            vocabSize: sizes.vocab_size,
            contextLength: sizes.n_positions,
            embDim: sizes.n_embd,
            nHeads: sizes.n_head,
            nLayers: sizes.n_layer,
            dropRate: 0,
            qkvBias: true,
          }),
      );
      io.withTensors(BASE, 'the base', (weights) => loadWeightsIntoGpt(model, weights));
      if (classes > 0) model.outHead = new nn.Linear(sizes.n_embd, classes);
      model.requiresGrad_(false).eval();
      nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 3, ...options });
      noGrad(() => {
        for (const [name, p] of model.namedParameters()) {
          if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.3));
        }
      });
      const place = join(folder, String(i));
      await io.saveAdapter(place, model, { baseModel: 'tiny-gpt2' });
      adapters.push({ folder: place, classes });
      const logits = noGrad(() => model.forward(tensor(ids, { dtype: 'int32' })));
      ours.push(classes > 0 ? logits.select(1, -1) : logits);
    }
    const theirs = logitsByPeft({ base: BASE, sizes, ids, adapters });
    for (const [i, [what]] of cases.entries()) expectTensor(ours[i], tensor(theirs[i]), 1e-4, what);
  });

  it("give PEFT's Llama our classifier's logits", async function () {
    if (!hasPeft()) this.skip();
    await useBackend('js');
    const { model } = await loadGguf(TINY_LLAMA);
    makeClassifier(model, { rank: 3, alpha: 6, seed: 5 });
    noGrad(() => {
      for (const [name, p] of model.namedParameters())
        if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.3));
    });
    const place = join(folder, 'llama');
    await io.saveAdapter(place, model, { baseModel: TINY_LLAMA });
    const messages = [
      [5, 70, 200, 12],
      [7, 7, 100, 3],
    ];
    const ours = noGrad(() => model.forward(tensor(messages, { dtype: 'int32' })).select(1, -1)); // [b, 2]
    const [theirs] = logitsByPeft({
      base: TINY_LLAMA,
      ids: messages,
      adapters: [{ folder: place, classes: 2 }],
    });
    expectTensor(ours, tensor(theirs), 1e-4);
  });
});

function hasPeft(): boolean {
  const found = spawnSync(PYTHON, ['-c', 'import peft']).status === 0;
  if (!found) console.log(`    (no peft in ${PYTHON}: set LLMS_PYTHON to a Python that has it)`);
  return found;
}

function logitsByPeft(task: unknown): NestedArray[] {
  const run = spawnSync(PYTHON, [fileURLToPath(new URL('peft_logits.py', import.meta.url))], {
    input: JSON.stringify(task),
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  expect(run.status, run.stderr).to.equal(0);
  return JSON.parse(run.stdout);
}
