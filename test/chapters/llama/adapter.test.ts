import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LlamaClassifier, LlamaModel, loadGguf, makeClassifier } from '../../../chapters/llama/index.ts';
import { io, manualSeed, nn, noGrad, randn, tensor } from '../../../lib/index.ts';
import { readSafetensors } from '../../../lib/io/safetensors.ts';
import { expectTensor } from '../../support/close.ts';

const TINY = fileURLToPath(new URL('../../fixtures/llama/tiny', import.meta.url));
/** A classifier's adapter written by PEFT, with its logits (test/fixtures/llama_adapter.py). */
const THEIRS = fileURLToPath(new URL('../../fixtures/llama/adapter', import.meta.url));

describe("a Llama's adapter", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'adapter-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("has PEFT's names, and gives the same logits when it is loaded again", async () => {
    manualSeed(1);
    const ids = tensor([[5, 70, 200, 12]], { dtype: 'int32' });
    const { model } = await loadGguf(TINY);
    model.requiresGrad_(false);
    nn.replaceLinearWithLoRA(model, { rank: 3, alpha: 6, targets: ['W_query', 'W_value', 'down'] });
    noGrad(() => {
      for (const parameter of model.parameters()) {
        if (parameter.requiresGrad) parameter.copyInPlace(randn(...parameter.shape).mul(0.1));
      }
    });
    await io.saveAdapter(folder, model, { baseModel: 'tiny' });

    const stored = readSafetensors(new Uint8Array(readFileSync(join(folder, 'adapter_model.safetensors'))));
    expect([...stored.keys()]).to.include('base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight');
    expect(stored.get('base_model.model.model.layers.0.mlp.down_proj.lora_B.weight')!.shape).to.eql([32, 3]);

    const { model: again } = await loadGguf(TINY);
    const plain = noGrad(() => again.forward(ids));
    io.loadAdapter(folder, again);
    const [wanted, got] = noGrad(() => [model.forward(ids), again.forward(ids)]);
    expect(got.toFlatArray()).to.eql(wanted.toFlatArray());
    expect(plain.sub(wanted).abs().amax().item()).to.be.above(0.01);
    expect(again).to.be.instanceOf(LlamaModel);
  });

  it("of a classifier comes from PEFT with PEFT's logits, and goes back as it came", async () => {
    const { ids, logits } = JSON.parse(readFileSync(join(THEIRS, 'expected.json'), 'utf8'));
    const { model } = await loadGguf(TINY);
    makeClassifier(model, { rank: 3, alpha: 6, seed: 1 });
    io.loadAdapter(THEIRS, model);
    const ours = noGrad(() => model.forward(tensor(ids, { dtype: 'int32' })).select(1, -1)); // [b, 2]
    expectTensor(ours, tensor(logits), 1e-4);

    await io.saveAdapter(folder, model, { baseModel: 'tiny' });
    const [stored, theirs] = [folder, THEIRS].map((place) =>
      readSafetensors(new Uint8Array(readFileSync(join(place, 'adapter_model.safetensors')))),
    );
    expect([...stored.keys()].sort()).to.eql([...theirs.keys()].sort());
    for (const [name, { shape, data }] of theirs) {
      expect(stored.get(name)!.shape, name).to.eql(shape);
      expect(stored.get(name)!.data, name).to.eql(data);
    }
  });

  it('of a classifier reads the last token, however the texts are padded', async () => {
    const { ids, logits }: { ids: number[][]; logits: number[][] } = JSON.parse(
      readFileSync(join(THEIRS, 'expected.json'), 'utf8'),
    );
    const { model } = await loadGguf(TINY);
    io.loadAdapter(THEIRS, model);
    const classifier = new LlamaClassifier(model, 0);
    const short = ids[0].slice(0, 2);
    const padded = [...ids, short].map((row) => [...row, ...Array(9 - row.length).fill(0)]);
    const ours = noGrad(() => classifier.forward(tensor(padded, { dtype: 'int32' })).select(1, 0)); // [b, 2]
    expectTensor(ours.slice(0, 0, ids.length), tensor(logits), 1e-4);
    const alone = noGrad(() => model.forward(tensor([short], { dtype: 'int32' })).select(1, -1)); // [1, 2]
    expectTensor(ours.slice(0, ids.length), alone, 1e-5);
  });
});
