import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { copyAndView, cube } from '../../../chapters/appendixA/02-tensors.ts';
import { binaryCrossEntropy, neuron } from '../../../chapters/appendixA/03-computation-graph.ts';
import { descend, gradientsOf } from '../../../chapters/appendixA/04-autograd.ts';
import { countParameters, NeuralNetwork } from '../../../chapters/appendixA/05-network.ts';
import { ToyDataset, trainingLabels, trainingPoints } from '../../../chapters/appendixA/06-data-loaders.ts';
import { computeAccuracy, train } from '../../../chapters/appendixA/07-training.ts';
import { loadModel, saveModel } from '../../../chapters/appendixA/08-saving.ts';
import {
  DataLoader,
  manualSeed,
  type nn,
  optim,
  randn,
  type Tensor,
  tensor,
  UserError,
} from '../../../lib/index.ts';

function largestDifference(a: Tensor, b: Tensor): number {
  expect(a.shape).to.deep.equal(b.shape);
  return a.sub(b).abs().max().item();
}

describe('appendix A: the library', () => {
  it('copies, and views', () => {
    const { copy, view } = copyAndView();
    expect(copy.toArray()).to.deep.equal(cube().toArray());
    expect(view.index(0, 0).toArray()).to.deep.equal([999, 2]);
  });

  it('gives gradients without keeping them', () => {
    const w = tensor([2.2], { requiresGrad: true });
    const b = tensor([0], { requiresGrad: true });
    const loss = binaryCrossEntropy(neuron(tensor([1.1]), w, b), tensor([1]));
    const [ofW, ofB] = gradientsOf(loss, [w, b]);
    expect([w.grad, b.grad]).to.deep.equal([null, null]);
    const a = 1 / (1 + Math.exp(-2.42)); // dloss/dz = a − y
    expect(ofB.item()).to.be.closeTo(a - 1, 1e-6);
    expect(ofW.item()).to.be.closeTo((a - 1) * 1.1, 1e-6);
  });

  it('descends', () => {
    const w = tensor([2], { requiresGrad: true });
    w.square().sum().backward();
    descend([w], 0.25);
    expect(w.toArray()).to.deep.equal([1]);
  });

  it('counts what is trained only', () => {
    const model = new NeuralNetwork(50, 3);
    expect(countParameters(model)).to.equal(51 * 30 + 31 * 20 + 21 * 3);
    (model.layers[0] as nn.Linear).requiresGrad_(false);
    expect(countParameters(model)).to.equal(31 * 20 + 21 * 3);
  });

  it('trains until every example is right', () => {
    manualSeed(1);
    const loader = new DataLoader(new ToyDataset(trainingPoints, trainingLabels), { batchSize: 5 });
    const model = new NeuralNetwork(2, 2);
    const losses: number[] = [];
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
    train(model, loader, optimizer, 20, ({ loss }) => losses.push(loss));
    expect(losses[19]).to.be.below(losses[0] / 10);
    expect(computeAccuracy(model, loader)).to.equal(1);
  });

  describe('saving', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'appendixA-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    it('brings a model back exactly', async () => {
      const path = join(folder, 'model.safetensors');
      const model = new NeuralNetwork(4, 2);
      await saveModel(model, path);
      const restored = new NeuralNetwork(4, 2);
      loadModel(restored, path);
      const x = randn(3, 4);
      expect(largestDifference(restored.forward(x), model.forward(x))).to.equal(0);
      expect(() => loadModel(new NeuralNetwork(5, 2), path)).to.throw(UserError, 'layers.0.weight');
    });
  });
});
