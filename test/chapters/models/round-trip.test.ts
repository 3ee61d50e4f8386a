import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt, obtainModel, toOpenAI } from '../../../chapters/chapter05/index.ts';
import { hubConfig } from '../../../chapters/commands/adapter/hub-config.ts';
import { mergeIntoLinears } from '../../../chapters/commands/adapter/merge.ts';
import { loadModel } from '../../../chapters/models/index.ts';
import { io, manualSeed, nn, noGrad, randn, type Tensor, tensor } from '../../../lib/index.ts';

/** What is written here in the hub's layout is the same model when it is read back. */
const ids = tensor([[5, 7, 11, 13]], { dtype: 'int32' });
const config = {
  ...{ vocabSize: 30, contextLength: 8, embDim: 8, nHeads: 2, nLayers: 2, dropRate: 0, qkvBias: true },
};
const logitsOf = (model: { forward(ids: Tensor): Tensor }) => noGrad(() => model.forward(ids)).toFlatArray();

function merged({ targets, tied }: { targets: string[]; tied: boolean }): GPTModel {
  manualSeed(1);
  const model = new GPTModel(config).eval();
  if (tied) noGrad(() => model.outHead.weight.copyInPlace(model.tokEmb.weight));
  nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 4, targets });
  noGrad(() => {
    for (const [name, p] of model.namedParameters())
      if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape));
  });
  mergeIntoLinears(model);
  return model;
}

describe('a merged model in the layout of the hub', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'merged-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [what, options] of Object.entries({
    'with LoRA on its head': { targets: ['W_query', 'out_head'], tied: true },
    'tied, with LoRA in its blocks': { targets: ['W_query'], tied: true },
    untied: { targets: ['W_query'], tied: false },
  })) {
    it(`${what} reads back with the same logits, by the loader and by chapter 5`, async () => {
      const model = merged(options);
      const wanted = logitsOf(model);
      const weights = toOpenAI(model);
      await io.saveTensors(join(folder, 'model.safetensors'), weights, {
        beside: { 'config.json': JSON.stringify(hubConfig(model)) },
      });
      expect(logitsOf((await loadModel(folder)).model)).to.eql(wanted);
      const other = new GPTModel(config).eval();
      loadWeightsIntoGpt(other, weights);
      expect(logitsOf(other)).to.eql(wanted);
    });
  }

  it('of other sizes than those that were asked for is refused in one line', async () => {
    const error = await obtainModel({ model: 'mini', weights: folder }).catch((caught) => caught);
    expect(error.message).to.match(
      /^the weights do not fit the model: .* has 30 tokens, .* and mini 50257 tokens, .*$/,
    );
  });

  it('that classifies keeps its classes', async () => {
    manualSeed(2);
    const model = new GPTModel(config).eval();
    model.outHead = new nn.Linear(8, 3);
    await io.saveTensors(join(folder, 'model.safetensors'), toOpenAI(model), {
      beside: { 'config.json': JSON.stringify(hubConfig(model, ['a', 'b', 'c'])) },
    });
    expect(logitsOf((await loadModel(folder)).model)).to.eql(logitsOf(model));
  });
});
