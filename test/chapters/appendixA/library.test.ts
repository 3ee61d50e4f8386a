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
  Momentum,
  numericGradient,
  paddedLoader,
  trainExclusiveOr,
} from '../../../chapters/appendixA/exercises.ts';
import {
  DataLoader,
  F,
  manualSeed,
  nn,
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

describe('appendix A: exercises', () => {
  it('1: a gradient by nudging', () => {
    manualSeed(2);
    const model = new NeuralNetwork(4, 3);
    const labels = tensor([0, 2], { dtype: 'int32' });
    const loss = (x: Tensor) => F.crossEntropy(model.forward(x), labels);
    const x = randn(2, 4).requiresGrad_();
    loss(x).backward();
    expect(largestDifference(numericGradient(loss, x), x.grad!)).to.be.below(1e-3);
  });

  it('2: exclusive or', () => {
    manualSeed(123);
    const points = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(trainExclusiveOr().forward(points).argmax(1).toArray()).to.deep.equal([0, 1, 1, 0]);
  });

  it('3: momentum', () => {
    const p = new nn.Parameter(tensor([1]));
    const optimizer = new Momentum([p], { lr: 0.1, momentum: 0.5 });
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      optimizer.zeroGrad();
      p.mul(2).sum().backward(); // the gradient is 2, so the speeds are 2, 3, 3.5
      optimizer.step();
      seen.push(p.item());
    }
    for (const [i, expected] of [0.8, 0.5, 0.15].entries()) expect(seen[i]).to.be.closeTo(expected, 1e-6);
  });

  it('4: batches of lists of different lengths', () => {
    const batches = [...paddedLoader([[1, 2, 3], [4], [5, 6]], 2, -1)];
    expect(batches.map((batch) => batch.toArray())).to.deep.equal([
      [
        [1, 2, 3],
        [4, -1, -1],
      ],
      [[5, 6]],
    ]);
    expect(batches[0].dtype).to.equal('int32');
  });
});
