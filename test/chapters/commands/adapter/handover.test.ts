import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { gpt2FromFiles } from '../../../../chapters/chapter02/gpt2-merges.ts';
import { tokeniser } from '../../../../chapters/chapter02/index.ts';
import { GPTModel } from '../../../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt } from '../../../../chapters/chapter05/05-openai-weights.ts';
import { modelConfig, obtainModel } from '../../../../chapters/chapter05/index.ts';
import { prepareMessages, readClassifierSettings } from '../../../../chapters/chapter06/index.ts';
import { readParquet } from '../../../../chapters/datasets/parquet.ts';
import { io, nn, noGrad, randint } from '../../../../lib/index.ts';
import { loadTensors } from '../../../../lib/io/checkpoint.ts';
import { adapterCommand, handOver, TEXTS } from './handedOver.ts';

/** What the script printed with peft 0.21.2 and accelerate 1.15 on two processes: see test/interop/accelerate.test.ts. */
const LOSSES_OF_PEFT = JSON.parse(
  readFileSync(new URL('../../../fixtures/handover.json', import.meta.url), 'utf8'),
);

describe('what handover writes', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'handover-'));
  after(() => rmSync(folder, { recursive: true }));
  let out: string;
  let model: GPTModel;
  let labels: string[];
  let adapter: string;
  before(async () => {
    ({ out, model, labels, adapter } = await handOver(folder));
  });

  const read = (name: string) => readFileSync(join(out, name), 'utf8');
  const plan = () => JSON.parse(read('handover.json'));

  it('has the losses that peft and accelerate have on two processes', () => {
    expect(plan().losses).to.have.length(5);
    for (const [i, loss] of plan().losses.entries())
      expect(loss, `step ${i + 1}`).to.be.closeTo(LOSSES_OF_PEFT.losses[i], 1e-4);
  });

  it('says how the fine-tuning is done', () => {
    const { losses: _, blocks, ...rest } = plan();
    expect(rest).to.deep.equal({
      ...{
        base: 'mini',
        labels,
        maxLength: 16,
        padTokenId: 50256,
        batchSize: 4,
        lr: 2e-3,
        schedule: 'cosine',
      },
      ...{ epochs: 3, seed: 42, weightDecay: 0.1, head: { scaling: 2 } },
    });
    expect(Object.keys(blocks)).to.have.length(4);
    expect(blocks['transformer.h.3.attn.c_attn']).to.deep.equal([2, 2, 2]);
    expect(read('train.py')).to.equal(
      readFileSync(new URL('../../../../chapters/commands/adapter/train.py', import.meta.url), 'utf8'),
    );
  });

  it('is the base, the adapter and the head, which together are the model', async () => {
    const base = new GPTModel(modelConfig('mini'));
    loadWeightsIntoGpt(base, loadTensors(join(out, 'base', 'model.safetensors')));
    const mini = (await obtainModel({ model: 'mini' })).stateDict();
    for (const [name, tensor] of Object.entries(base.stateDict()))
      expect(tensor.eq(mini[name]).all().item(), name).to.equal(1);
    expect(JSON.parse(read('base/config.json'))).to.include({ n_embd: 128, n_layer: 4, attn_pdrop: 0 });

    io.loadAdapter(join(out, 'adapter'), base.eval());
    const ids = randint(0, 50257, [2, 16]);
    const [ours, theirs] = [model, base].map((each) => noGrad(() => each.forward(ids)));
    expect(ours.sub(theirs).abs().amax().item()).to.be.below(1e-4);
    expect(readClassifierSettings(join(out, 'adapter'))).to.deep.equal(readClassifierSettings(adapter));
    const { A, B } = loadTensors(join(out, 'head.safetensors'));
    expect([A.shape, B.shape]).to.deep.equal([
      [128, 2],
      [2, 4],
    ]);
    expect(B.abs().amax().item()).to.equal(0);
  });

  it('has the tokeniser of GPT-2, and the texts in their parts', async () => {
    const theirs = gpt2FromFiles(read('tokeniser/merges.txt'), read('tokeniser/vocab.json'));
    const text = 'Ich möchte 3 Geräte\r\n zurückgeben 🙁';
    expect(theirs.encode(text)).to.deep.equal(tokeniser.encode(text));
    const { parts } = await prepareMessages({ data: TEXTS, contextLength: 256 });
    for (const part of ['train', 'valid', 'test'] as const) {
      const { Label, Text } = await readParquet(join(out, 'data', `${part}.parquet`), ['Label', 'Text']);
      expect(Label.map((label, i) => ({ text: Text[i], label }))).to.deep.equal(parts[part]);
    }
  });

  it('is nothing where the data are not those of the adapter, which a line says', async () => {
    const given = ['--adapter', adapter, '--data', 'stand-in', '--out', join(folder, 'x')];
    const { status, stderr } = await adapterCommand(['handover', ...given]);
    expect(status).to.equal(1);
    expect(stderr).to.match(/^error: the classes of .* are ham, spam, but the adapter knows [^\n]*\n$/);
    expect(existsSync(join(folder, 'x', 'handover.json'))).to.equal(false);
  });
});

describe('handover --restart', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'restart-'));
  after(() => rmSync(folder, { recursive: true }));

  it('begins where nothing is learnt yet', async () => {
    const { out } = await handOver(folder, '--restart');
    const base = (await obtainModel({ model: 'mini' })).eval();
    io.loadAdapter(join(out, 'adapter'), base);
    for (const [, module] of base.namedModules())
      if (module instanceof nn.LinearWithLoRA) expect(module.lora.B.abs().amax().item()).to.equal(0);
    const { losses } = JSON.parse(readFileSync(join(out, 'handover.json'), 'utf8'));
    for (const [i, loss] of losses.entries())
      expect(loss, `step ${i + 1}`).to.be.closeTo(LOSSES_OF_PEFT.restarted[i], 1e-4);
  });
});
