import { expect } from 'chai';
import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { firstLosses } from '../../../chapters/chapter06/09-work-left-out.ts';
import {
  CachedPrefix,
  type ClassLogits,
  calcLossBatch,
  chooseTrainable,
  frozenBlocks,
  lastPositionOnly,
  type Method,
  wrapWithLoRA,
} from '../../../chapters/chapter06/index.ts';
import { DataLoader, optim, type Tensor } from '../../../lib/index.ts';
import { expectClose } from '../../support/close.ts';
import { tinyClassifier, tinyDataset } from './tiny.ts';

function prepared(method: Method): GPTModel {
  const model = tinyClassifier();
  if (method === 'lora') wrapWithLoRA(model, { rank: 4, alpha: 8 });
  else chooseTrainable(model, method);
  return model;
}

/** Losses of a few steps, and every parameter after them. */
function trained(model: GPTModel, loader: DataLoader<[Tensor, Tensor]>, logitsOf?: ClassLogits) {
  const parameters = model.parameters().filter((parameter) => parameter.requiresGrad);
  // Not AdamW: it makes steps of full size out of a key bias's gradient, which is 0 but for the rounding.
  const optimizer = new optim.SGD(parameters, { lr: 0.5 });
  const losses: number[] = [];
  for (const [inputs, labels] of loader) {
    optimizer.zeroGrad();
    const loss = calcLossBatch(inputs, labels, model, logitsOf);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  return { losses, parameters: parameters.map((parameter) => parameter.toFlatArray() as number[]) };
}

describe('chapter 6: work that is left out changes no result', () => {
  for (const method of ['head', 'last-block', 'lora', 'full'] as const) {
    it(`${method}: losses and weights after three steps are those of the plain model`, () => {
      const dataset = tinyDataset();
      const plainModel = prepared(method);
      const plain = trained(plainModel, new DataLoader(dataset, { batchSize: 4 }));

      const model = prepared(method);
      const cached = frozenBlocks(model);
      expect(cached).to.equal({ head: 3, 'last-block': 2, lora: 0, full: 0 }[method]);
      const inputs = cached > 0 ? new CachedPrefix(model, dataset, cached, 5) : dataset;
      const loader = new DataLoader(inputs, { batchSize: 4 });
      const short = trained(model, loader, lastPositionOnly(model, cached));

      expect(short.losses).to.have.length(3);
      expectClose(short.losses, plain.losses, 1e-5, 'losses');
      short.parameters.forEach((values, i) => {
        expectClose(values, plain.parameters[i], 1e-5, `parameter ${i}`);
      });
    });
  }

  it('the first losses leave the model as it was', async () => {
    const model = prepared('last-block');
    const before = model.parameters().map((parameter) => parameter.toFlatArray());
    const loader = new DataLoader<[Tensor, Tensor]>(tinyDataset(), { batchSize: 4 });
    const losses = await firstLosses(
      model,
      loader,
      { lr: 0.01, schedule: 'constant', epochs: 1, seed: 1 },
      2,
    );
    expect(losses).to.have.length(2);
    expect(model.parameters().map((parameter) => parameter.toFlatArray())).to.deep.equal(before);
    expect(model.parameters().every(({ grad }) => grad === null || grad === undefined)).to.equal(true);
  });

  it('refuses a model with dropout', () => {
    const model = tinyClassifier();
    model.config.dropRate = 0.1;
    expect(() => lastPositionOnly(model)).to.throw('a model without dropout');
  });
});
