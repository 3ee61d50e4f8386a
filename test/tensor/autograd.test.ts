import { expect } from 'chai';
import {
  arange,
  cat,
  F,
  isGradEnabled,
  nn,
  noGrad,
  ones,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.ts';
import { kernelCalls, productsOf } from '../support/spy.ts';

const leaf = (values: number[]) => tensor(values, { requiresGrad: true });
const gradient = (t: Tensor) => t.grad!.toArray();

describe('autograd', () => {
  describe('the graph', () => {
    it('sums the gradient over the paths of a diamond', () => {
      const x = leaf([3]);
      const y = x.square(); // 9
      const left = y.mul(2);
      const right = y.mul(y);
      left.mul(right).sum().backward(); // 2 y³ = 2 x⁶
      expect(gradient(x)).to.deep.equal([12 * 3 ** 5]);
    });

    it('counts a leaf as often as it is used', () => {
      const x = leaf([2, -1]);
      let sum = x.mul(0);
      for (let i = 0; i < 50; i++) sum = sum.add(x);
      sum.add(x.mul(x)).sum().backward();
      expect(gradient(x)).to.deep.equal([54, 48]);
    });

    it('goes through 20,000 operations without overflowing the stack', () => {
      const x = leaf([1]);
      let y: Tensor = x;
      for (let i = 0; i < 20_000; i++) y = y.add(1);
      y.backward();
      expect(gradient(x)).to.deep.equal([1]);
    });

    it('visits each of many shared operations once', () => {
      const x = leaf([1]);
      let y: Tensor = x;
      // 2⁶⁰ paths.
      for (let i = 0; i < 60; i++) y = y.add(y);
      y.backward();
      expect(gradient(x)).to.deep.equal([2 ** 60]);
    });

    it('is the same whether the gradient of a part is added in place or not', () => {
      // x reaches y by itself, by slices that add in place, and by both in either order.
      const x = leaf([1, 2, 3, 4]);
      const y = x.mul(1);
      const z = cat([y.slice(0, 0, 2), y, y.select(0, 3).unsqueeze(0), y.index(tensor([1, 1]).int())]);
      z.add(cat([y, y, y]).slice(0, 0, 9))
        .mul(arange(9))
        .sum()
        .backward();
      const weights = [0, 1, 2, 3, 4, 5, 6, 7, 8];
      const wanted = [0, 0, 0, 0];
      for (const [at, i] of [0, 1, 0, 1, 2, 3, 3, 1, 1].entries()) wanted[i] += weights[at];
      for (const [at, i] of [0, 1, 2, 3, 0, 1, 2, 3, 0].entries()) wanted[i] += weights[at];
      expect(gradient(x)).to.deep.equal(wanted);
    });

    it('does not let one tensor change the gradient that another was given', () => {
      const [a, b] = [leaf([1, 1]), leaf([1, 1])];
      const [u, v] = [a.mul(1), b.mul(1)];
      // The same upstream tensor reaches u and v; u has more added to it in place before v is done.
      const first = v.add(0).add(u.slice(0, 0, 1).expand([2]));
      const upstream = tensor([1, 10]);
      first.add(u.add(v)).backward(upstream);
      expect([gradient(a), gradient(b), upstream.toArray()]).to.deep.equal([
        [12, 10],
        [2, 20],
        [1, 10],
      ]);
    });

    it('is released by backward, so that a second pass is refused', () => {
      const x = leaf([1, 2]);
      const y = x.square().sum();
      y.backward();
      expect(() => y.backward()).to.throw(
        /^backward: the graph behind sum is already released; pass retainGraph the first time$/,
      );
      expect(gradient(x)).to.deep.equal([2, 4]);
    });

    it('is kept by retainGraph, and the gradients of both passes add up', () => {
      const x = leaf([1, 2]);
      const y = x.square().sum();
      y.backward(undefined, { retainGraph: true });
      expect(gradient(x)).to.deep.equal([2, 4]);
      y.backward();
      expect(gradient(x)).to.deep.equal([4, 8]);
      expect(() => y.backward()).to.throw('already released');
    });

    it('adds up over two losses, until the gradient is dropped', () => {
      const x = leaf([1, 2]);
      x.sum().backward();
      x.mul(3).sum().backward();
      expect(gradient(x)).to.deep.equal([4, 4]);
      x.grad = null;
      x.sum().backward();
      expect(gradient(x)).to.deep.equal([1, 1]);
    });

    it('gives gradients to leaves alone, and never the same memory to two', () => {
      const [a, b] = [leaf([1, 2]), leaf([3, 4])];
      const y = a.add(b);
      const upstream = tensor([5, 6]);
      y.backward(upstream);
      expect(y.grad).to.equal(null);
      expect(a.grad!.storage).not.to.equal(b.grad!.storage);
      expect(a.grad!.storage).not.to.equal(upstream.storage);
      a.grad!.addInPlace(ones(2));
      expect([gradient(b), upstream.toArray()]).to.deep.equal([
        [5, 6],
        [5, 6],
      ]);
    });

    it('gives a leaf that is the root the upstream gradient itself', () => {
      const x = leaf([1, 2]);
      x.backward(tensor([3, 4]));
      x.backward(tensor([3, 4]));
      expect(gradient(x)).to.deep.equal([6, 8]);
    });

    it('gives nothing to what does not require it', () => {
      const frozen = tensor([2, 3]);
      const x = leaf([1, 1]);
      cat([x.mul(frozen), frozen])
        .sum()
        .backward();
      expect(frozen.grad).to.equal(null);
      expect(gradient(x)).to.deep.equal([2, 3]);
    });
  });

  describe('through views and indexing', () => {
    it('adds into overlapping slices', () => {
      const x = leaf([1, 2, 3, 4]);
      x.slice(0, 0, 3)
        .sum()
        .add(x.slice(0, 1, 4).mul(10).sum())
        .backward();
      expect(gradient(x)).to.deep.equal([1, 11, 11, 10]);
    });

    it('adds into a leaf that is itself a view of other memory', () => {
      const base = arange(6).float().reshape(2, 3);
      const x = base.T.detach().requiresGrad_(); // [3, 2], not contiguous
      x.mul(x).sum().backward();
      expect(gradient(x)).to.deep.equal([
        [0, 6],
        [2, 8],
        [4, 10],
      ]);
      expect(base.grad).to.equal(null);
    });

    it('adds up for an id that comes several times', () => {
      const weight = zeros(4, 2, { requiresGrad: true });
      const ids = tensor(
        [
          [1, 1],
          [3, 1],
        ],
        { dtype: 'int32' },
      );
      F.embedding(weight, ids)
        .mul(arange(8).reshape(2, 2, 2))
        .sum()
        .backward();
      expect(gradient(weight)).to.deep.equal([
        [0, 0],
        [0 + 2 + 6, 1 + 3 + 7],
        [0, 0],
        [4, 5],
      ]);
    });

    it('adds up for an index that gather repeats', () => {
      const x = tensor([[1, 2, 3]], { requiresGrad: true });
      x.gather(1, tensor([[2, 2, 0, 2]], { dtype: 'int32' }))
        .mul(tensor([[1, 10, 100, 1000]]))
        .sum()
        .backward();
      expect(gradient(x)).to.deep.equal([[100, 0, 1011]]);
    });

    it('sums over what expand repeats', () => {
      const x = tensor([[1], [2]], { requiresGrad: true });
      x.expand(3, 2, 4).sum().backward();
      expect(gradient(x)).to.deep.equal([[12], [12]]);
    });
  });

  describe('noGrad and detach', () => {
    it('record nothing', () => {
      const x = leaf([1, 2]);
      const y = noGrad(() => {
        expect(isGradEnabled()).to.equal(false);
        return x.mul(2);
      });
      expect([y.requiresGrad, y.isLeaf, isGradEnabled()]).to.deep.equal([false, true, true]);
      expect(() => y.sum().backward()).to.throw(/^backward: no gradient is required of this tensor/);
    });

    it('noGrad ends when its body throws, and may be nested', () => {
      expect(() =>
        noGrad(() => {
          noGrad(() => undefined);
          expect(isGradEnabled()).to.equal(false);
          throw new Error('stop');
        }),
      ).to.throw('stop');
      expect(isGradEnabled()).to.equal(true);
    });

    it('detach cuts the graph and shares the numbers', () => {
      const x = leaf([1, 2]);
      const y = x.mul(3);
      const cut = y.detach();
      expect([cut.requiresGrad, cut.storage]).to.deep.equal([false, y.storage]);
      y.mul(cut).sum().backward();
      expect(gradient(x)).to.deep.equal([9, 18]);
    });

    it('backward itself records nothing', () => {
      const x = leaf([1, 2]);
      x.exp().mul(x).sum().backward();
      expect([x.grad!.requiresGrad, x.grad!.isLeaf]).to.deep.equal([false, true]);
    });
  });

  describe('mistakes', () => {
    it('are named in one line', () => {
      const x = leaf([1, 2]);
      expect(() => x.mul(2).backward()).to.throw(
        /^backward: a scalar is expected, not a tensor of shape \[2\]$/,
      );
      expect(() => x.mul(2).backward(ones(3))).to.throw(
        /^backward: a gradient of float32 \[2\] is expected, not float32 \[3\]$/,
      );
      expect(() => tensor(1).backward()).to.throw('no gradient is required');
      expect(() => x.mul(2).requiresGrad_(false)).to.throw('only a leaf can change it');
      expect(() => arange(3).requiresGrad_()).to.throw('float32 is expected, not int32');
      expect(() => tensor([1], { dtype: 'int32', requiresGrad: true })).to.throw('only float32');
    });
  });

  describe('work not done', () => {
    it('a frozen weight has no product in backward, an input that needs none neither', async () => {
      const weight = new nn.Parameter(ones(4, 3));
      const frozen = new nn.Parameter(ones(4, 3), false);
      const x = ones([2, 3], { requiresGrad: true });
      const passes = (a: Tensor, w: Tensor) => {
        const loss = F.linear(a, w).sum();
        return kernelCalls(() => loss.backward()).then(productsOf);
      };
      expect(await passes(x, weight)).to.have.members(['matmul', 'matmulInto']);
      expect(await passes(x, frozen)).to.deep.equal(['matmul']);
      expect(await passes(x.detach(), weight)).to.deep.equal(['matmulInto']);
      expect(frozen.grad).to.equal(null);
    });

    it('the same for matmul, batched or not', async () => {
      const a = ones([2, 3, 4], { requiresGrad: true });
      for (const b of [ones(4, 5), ones(2, 4, 5)]) {
        const loss = a.matmul(b).sum();
        expect(productsOf(await kernelCalls(() => loss.backward()))).to.deep.equal(['matmul']);
        const other = a.detach().matmul(b.detach().requiresGrad_()).sum();
        expect(productsOf(await kernelCalls(() => other.backward()))).to.have.length(1);
      }
    });

    it('what does not depend on a trained tensor is not recorded at all', () => {
      const frozen = new nn.Parameter(ones(3, 3), false);
      const y = F.linear(ones(2, 3), frozen).relu();
      expect([y.requiresGrad, y.node]).to.deep.equal([false, null]);
    });
  });
});
