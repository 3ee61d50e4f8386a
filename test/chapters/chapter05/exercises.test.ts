import { expect } from 'chai';
import { type GPTConfig, GPTModel } from '../../../chapters/chapter04/index.ts';
import { expectedDraws, keepTopP, lossPerToken, perplexity } from '../../../chapters/chapter05/exercises.ts';
import { F, manualSeed, noGrad, randn, tensor } from '../../../lib/index.ts';

/** 40 tokens, which need no tokeniser. */
const SMALL: GPTConfig = {
  vocabSize: 40,
  contextLength: 16,
  embDim: 8,
  nHeads: 2,
  nLayers: 1,
  dropRate: 0,
  qkvBias: true,
};

const ids = (rows: number[][]) => tensor(rows, { dtype: 'int32' });

describe('chapter 5: the exercises', () => {
  it('1: a model that knows nothing wavers among all tokens', () => {
    const model = new GPTModel(SMALL).eval();
    noGrad(() => model.outHead.weight.copyInPlace(tensor(0)));
    expect(perplexity([[ids([[1, 2]]), ids([[2, 3]])]], model)).to.be.closeTo(40, 1e-3);
  });

  it('2: what is to be expected of a thousand draws', () => {
    const logits = tensor([4.51, 0.89, -1.9, 6.75, 1.63, -1.62, -1.89, 6.28, 1.79]);
    expect(expectedDraws(logits, 6, 5, 1000)).to.be.closeTo(43, 0.5);
    expect(expectedDraws(logits, 6, 0.1, 1000)).to.be.below(1e-20);
  });

  it('3: top-p keeps the likeliest tokens that together reach p', () => {
    const logits = tensor([
      [0.5, 0.3, 0.2],
      [0.1, 0.1, 0.8],
    ]).log();
    const kept = (p: number) =>
      (keepTopP(logits, p).toArray() as number[][]).map((row) => row.map(Number.isFinite));
    expect(kept(0.6)).to.deep.equal([
      [true, true, false],
      [false, false, true],
    ]);
    expect(kept(0.4)).to.deep.equal([
      [true, false, false],
      [false, false, true],
    ]);
  });

  it('4: the losses of the positions have the loss as their mean', () => {
    manualSeed(9);
    const [logits, targets] = [randn(5, 40), tensor([1, 2, 3, 4, 5], { dtype: 'int32' })];
    const each = lossPerToken(logits, targets);
    expect(each.shape).to.deep.equal([5]);
    expect(each.mean().item()).to.be.closeTo(F.crossEntropy(logits, targets).item(), 1e-6);
  });
});
