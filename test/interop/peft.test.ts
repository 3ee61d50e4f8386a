import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt } from '../../chapters/chapter05/index.ts';
import { io, manualSeed, nn, noGrad, randn, tensor, useBackend } from '../../lib/index.ts';
import { expectTensor } from '../support/close.ts';

/** Adapters written here, loaded by PEFT itself. LLMS_PYTHON names the Python that has it; without it nothing is run. */
const PYTHON = process.env.LLMS_PYTHON ?? 'python3';
const FIXTURE = fileURLToPath(new URL('../fixtures/peft', import.meta.url));
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
    if (spawnSync(PYTHON, ['-c', 'import peft']).status !== 0) {
      console.log(`    (no peft in ${PYTHON}: set LLMS_PYTHON to a Python that has it)`);
      this.skip();
    }
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
    const run = spawnSync(PYTHON, [fileURLToPath(new URL('peft_logits.py', import.meta.url))], {
      input: JSON.stringify({ base: BASE, sizes, ids, adapters }),
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(run.status, run.stderr).to.equal(0);
    const theirs = JSON.parse(run.stdout);
    for (const [i, [what]] of cases.entries()) expectTensor(ours[i], tensor(theirs[i]), 1e-4, what);
  });
});
