import { expect } from 'chai';
import { inputs, softmaxNaive } from '../../../chapters/chapter03/03-simple-attention.ts';
import { SelfAttentionV2 } from '../../../chapters/chapter03/04-self-attention.ts';
import { CausalAttention } from '../../../chapters/chapter03/05-causal-attention.ts';
import {
  MultiHeadAttention,
  MultiHeadAttentionWrapper,
} from '../../../chapters/chapter03/06-multi-head-attention.ts';
import {
  countAttentionParameters,
  ignoresOrder,
  joinHeads,
  outsideWindow,
  stableSoftmax,
} from '../../../chapters/chapter03/exercises.ts';
import { manualSeed, noGrad, ones, randn, tensor } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';

describe('chapter 3: exercises', () => {
  it('1: a softmax that does not overflow', () => {
    manualSeed(7);
    const x = randn(4, 6);
    expectNear(stableSoftmax(x), x.softmax(-1));
    expect(softmaxNaive(tensor([1000, 999])).toArray()).to.deep.equal([NaN, NaN]);
    expectNear(stableSoftmax(tensor([1000, 999])), tensor([0.731058, 0.268941]), 1e-5);
  });

  it('2: the number of parameters', () => {
    for (const [dIn, dOut, heads, qkvBias] of [
      [6, 8, 2, false],
      [8, 12, 4, true],
    ] as const) {
      const attention = new MultiHeadAttention(dIn, dOut, 4, 0, heads, { qkvBias });
      const counted = attention.parameters().reduce((sum, p) => sum + p.size, 0);
      expect(countAttentionParameters(dIn, dOut, { qkvBias })).to.equal(counted);
    }
    expect(countAttentionParameters(768, 768)).to.equal(2_360_064);
  });

  it('3: only attention without a mask ignores the order', () => {
    manualSeed(8);
    const free = new SelfAttentionV2(3, 2);
    const causal = new CausalAttention(3, 2, 0);
    const order = [3, 1, 5, 0, 2, 4];
    expect(ignoresOrder((x) => free.forward(x), inputs, order)).to.equal(true);
    expect(ignoresOrder((x) => causal.forward(x.unsqueeze(0)).squeeze(0), inputs, order)).to.equal(false);
  });

  it('4: a window', () => {
    expect(outsideWindow(4, 2).toArray()).to.deep.equal([
      [false, true, true, true],
      [false, false, true, true],
      [true, false, false, true],
      [true, true, false, false],
    ]);
    const future = ones(5, 5).triu(1).bool().toArray();
    expect(outsideWindow(5, 5).toArray()).to.deep.equal(future);
  });

  it('5: separate heads as one', () => {
    manualSeed(9);
    const wrapper = new MultiHeadAttentionWrapper(6, 4, 0, 3);
    const joined = joinHeads(wrapper, 8);
    const x = randn(2, 7, 6);
    noGrad(() => expectNear(joined.forward(x), wrapper.forward(x)));
  });
});
