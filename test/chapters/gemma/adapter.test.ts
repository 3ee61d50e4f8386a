import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadModel } from '../../../chapters/models/index.ts';
import { F, io, manualSeed, nn, noGrad, optim, randn, tensor, useBackend } from '../../../lib/index.ts';

/** LoRA on a Gemma, also beside the blocks of a GGUF file (QLoRA). */
const TINY = fileURLToPath(new URL('../../fixtures/gemma/tiny/', import.meta.url));
const TARGETS = ['W_query', 'W_key', 'W_value', 'out_proj', 'gate', 'up', 'down'];
const ids = tensor([[2, 5, 7, 11, 13, 17, 19, 23]], { dtype: 'int32' });

describe('LoRA on a Gemma', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gemma-'));
  before(() => useBackend('wasm'));
  after(() => rmSync(folder, { recursive: true }));

  it("is saved under transformers' names and comes back", async () => {
    const [{ model }, { model: other }] = [await loadModel(TINY), await loadModel(TINY)];
    manualSeed(1);
    model.requiresGrad_(false);
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 4, targets: TARGETS });
    noGrad(() => {
      for (const [name, p] of model.namedParameters())
        if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape));
    });
    await io.saveAdapter(folder, model, { baseModel: 'tiny' });
    const stored = io.withTensors(join(folder, 'adapter_model.safetensors'), 'the adapter', Object.keys);
    expect(stored).to.include('base_model.model.model.layers.5.self_attn.q_proj.lora_A.weight');
    expect(stored).to.have.length(2 * 7 * 6);
    const before = noGrad(() => other.forward(ids)).toFlatArray();
    io.loadAdapter(folder, other);
    const [wanted, found] = noGrad(() => [model.forward(ids), other.forward(ids)]);
    expect(found.toFlatArray()).to.eql(wanted.toFlatArray());
    expect(found.toFlatArray()).to.not.eql(before);
  });

  it('learns beside blocks of few bits, which stay as they are', async () => {
    const { model } = await loadModel(join(TINY, 'tiny.gguf'), { quantised: true });
    manualSeed(1);
    model.requiresGrad_(false);
    nn.replaceLinearWithLoRA(model, { rank: 4, alpha: 8, targets: TARGETS });
    const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
    expect(trained).to.have.length(2 * 7 * 6);
    const optimizer = new optim.AdamW(trained, { lr: 0.02 });
    const loss = () =>
      F.crossEntropy(model.forward(ids.slice(1, 0, -1)).squeeze(0), ids.slice(1, 1).squeeze(0));
    const first = loss().item();
    for (let step = 0; step < 30; step++) {
      optimizer.zeroGrad();
      loss().backward();
      optimizer.step();
    }
    expect(loss().item()).to.be.below(first / 2);
  });
});
