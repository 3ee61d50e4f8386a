import { expect } from 'chai';
import {
  dotByHand,
  inputs,
  scoresByHand,
  simpleAttention,
  softmaxNaive,
} from '../../../chapters/chapter03/03-simple-attention.ts';
import { attendFrom, SelfAttentionV1 } from '../../../chapters/chapter03/04-self-attention.ts';
import {
  CausalAttention,
  maskAndNormalise,
  maskFuture,
} from '../../../chapters/chapter03/05-causal-attention.ts';
import { manualSeed, randn, tensor } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';

describe('chapter 3: attention step by step', () => {
  it('says the same by hand and in one product', () => {
    const { scores, weights } = simpleAttention(inputs);
    expectNear(scoresByHand(inputs), scores);
    expect(dotByHand(tensor([1, 2, 3]), tensor([4, 5, 6])).item()).to.equal(32);
    expectNear(softmaxNaive(scores.index(1)), weights.index(1));
  });

  it('gives one token and all tokens the same context', () => {
    manualSeed(4);
    const head = new SelfAttentionV1(3, 2);
    const all = head.forward(inputs);
    for (let i = 0; i < 6; i++) expectNear(attendFrom(i, inputs, head).context, all.index(i));
  });

  it('masks in two ways that agree', () => {
    manualSeed(5);
    const scores = randn(6, 6);
    const { normalised } = maskAndNormalise(scores.softmax());
    expectNear(maskFuture(scores).softmax(), normalised);
  });

  it('gives a causal head the context of the tokens before, and of nothing else', () => {
    manualSeed(6);
    const head = new CausalAttention(3, 4, 0);
    const x = randn(2, 5, 3);
    const prefix = head.forward(x.narrow(1, 0, 3));
    expectNear(head.forward(x).narrow(1, 0, 3), prefix);
    expectNear(head.forward(x).index(null, 0), head.wValue.forward(x.index(null, 0)));
  });
});
