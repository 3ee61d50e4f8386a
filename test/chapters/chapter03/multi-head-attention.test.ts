import { expect } from 'chai';
import { maskFuture } from '../../../chapters/chapter03/05-causal-attention.ts';
import { MultiHeadAttention } from '../../../chapters/chapter03/index.ts';
import { cat, manualSeed, noGrad, randn, type Tensor } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';

/** The heads one by one, with the mask and softmax of the earlier sections. */
function headByHead(attention: MultiHeadAttention, x: Tensor): Tensor[] {
  const width = attention.wQuery.outFeatures / attention.numHeads;
  const [queries, keys, values] = [attention.wQuery, attention.wKey, attention.wValue].map((w) =>
    w.forward(x),
  );
  return Array.from({ length: attention.numHeads }, (_, head) => {
    const [q, k, v] = [queries, keys, values].map((y) => y.narrow(-1, head * width, width));
    const weights = maskFuture(q.matmul(k.transpose(1, 2)))
      .mul(1 / Math.sqrt(width))
      .softmax(-1);
    return weights.matmul(v);
  });
}

describe('chapter 3: multi-head attention', () => {
  it('agrees with single heads that use an explicit mask', () => {
    manualSeed(1);
    const attention = new MultiHeadAttention(12, 8, 16, 0, 4, { qkvBias: true });
    const x = randn(3, 7, 12);
    noGrad(() => {
      const expected = attention.outProj.forward(cat(headByHead(attention, x), -1));
      expectNear(attention.forward(x), expected);
    });
  });

  it('does not see the future', () => {
    manualSeed(2);
    const attention = new MultiHeadAttention(6, 6, 8, 0, 2);
    const x = randn(1, 8, 6);
    const prefix = attention.forward(x.narrow(1, 0, 5));
    expectNear(attention.forward(x).narrow(1, 0, 5), prefix);
  });

  it("has the notebook's state keys", () => {
    const keys = (qkvBias: boolean) =>
      Object.keys(new MultiHeadAttention(4, 4, 8, 0, 2, { qkvBias }).stateDict());
    expect(keys(false)).to.deep.equal([
      'W_query.weight',
      'W_key.weight',
      'W_value.weight',
      'out_proj.weight',
      'out_proj.bias',
    ]);
    expect(keys(true)).to.include.members(['W_query.bias', 'W_key.bias', 'W_value.bias']);
  });

  it('drops attention weights in training mode only', () => {
    manualSeed(3);
    const attention = new MultiHeadAttention(4, 4, 8, 0.5, 2);
    const x = randn(1, 8, 4);
    const first = attention.forward(x);
    expect(first.sub(attention.forward(x)).abs().max().item()).to.be.above(1e-3);
    attention.eval();
    expectNear(attention.forward(x), attention.forward(x), 1e-12);
  });

  it('refuses what does not fit', () => {
    expect(() => new MultiHeadAttention(4, 6, 8, 0, 4)).to.throw(
      '6 dimensions cannot be divided among 4 heads',
    );
    const attention = new MultiHeadAttention(4, 4, 3, 0, 2);
    expect(() => attention.forward(randn(1, 4, 4))).to.throw('4 tokens are more than the 3');
  });
});
