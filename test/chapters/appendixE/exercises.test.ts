import { expect } from 'chai';
import {
  breakEvenRank,
  firstGradients,
  rankOf,
  wrapQueriesAndValues,
} from '../../../chapters/appendixE/exercises.ts';
import { countParameters } from '../../../chapters/chapter04/index.ts';
import { eye, manualSeed, nn, randn } from '../../../lib/index.ts';
import { tinyClassifier } from '../chapter06/tiny.ts';

describe('appendix E: exercises', () => {
  it('1: the rank at which nothing is saved', () => {
    expect(breakEvenRank(768, 768)).to.equal(384);
  });

  it('2: AB has at most r directions', () => {
    manualSeed(1);
    expect(rankOf(eye(5))).to.equal(5);
    expect(rankOf(randn(12, 3).matmul(randn(3, 10)))).to.equal(3);
  });

  it('3: the first step moves B alone', () => {
    manualSeed(1);
    const layer = nn.LinearWithLoRA.fromLinear(new nn.Linear(6, 4), { rank: 2, alpha: 2 });
    const { A, B } = firstGradients(layer, randn(5, 6));
    expect(A.abs().amax().item()).to.equal(0);
    expect(B.abs().amax().item()).to.be.above(1e-3);
  });

  it('4: queries and values only', () => {
    const model = tinyClassifier();
    wrapQueriesAndValues(model, { rank: 2, alpha: 2 });
    expect(countParameters(model, { trainableOnly: true })).to.equal(3 * 2 * 2 * (16 + 16));
  });
});
