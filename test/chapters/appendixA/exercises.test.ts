import { expect } from 'chai';
import { NeuralNetwork } from '../../../chapters/appendixA/05-network.ts';
import {
  Momentum,
  numericGradient,
  paddedLoader,
  trainExclusiveOr,
} from '../../../chapters/appendixA/exercises.ts';
import { F, manualSeed, nn, randn, type Tensor, tensor } from '../../../lib/index.ts';

function largestDifference(a: Tensor, b: Tensor): number {
  expect(a.shape).to.deep.equal(b.shape);
  return a.sub(b).abs().max().item();
}

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
