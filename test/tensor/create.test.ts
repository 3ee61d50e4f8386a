import { expect } from 'chai';
import fc from 'fast-check';
import {
  arange,
  cat,
  full,
  manualSeed,
  ones,
  rand,
  randint,
  randn,
  randperm,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.ts';
import { eye } from '../../lib/tensor/create.ts';
import { shapes, sizeOf } from '../support/arbitrary.ts';

describe('making tensors', () => {
  it('from nested arrays, and back', () => {
    fc.assert(
      fc.property(shapes({ rank: 3, shortest: 0 }), (shape) => {
        let next = 0;
        const nest = (axis: number): unknown =>
          axis === shape.length ? next++ : Array.from({ length: shape[axis] }, () => nest(axis + 1));
        const nested = nest(0) as number[];
        const t = tensor(nested);
        expect(t.toArray()).to.deep.equal(nested);
        // Below an empty axis nothing says how long the others are.
        const empty = shape.indexOf(0);
        expect(t.shape).to.deep.equal(empty < 0 ? shape : shape.slice(0, empty + 1));
      }),
    );
  });

  it('chooses the type as the design says', () => {
    expect(tensor([1, 2]).dtype).to.equal('float32');
    expect(tensor([true, false]).dtype).to.equal('bool');
    expect(tensor([true, 2]).toArray()).to.deep.equal([1, 2]);
    expect(tensor([]).dtype).to.equal('float32');
    expect(tensor([1.9, -1.9], { dtype: 'int32' }).toArray()).to.deep.equal([1, -1]);
    expect(tensor([0, 3], { dtype: 'bool' }).toArray()).to.deep.equal([false, true]);
    expect(tensor(Int32Array.of(3)).dtype).to.equal('int32');
    expect(tensor(Float32Array.of(3)).dtype).to.equal('float32');
    expect(tensor(Uint8Array.of(0, 1)).dtype).to.equal('bool');
    expect(tensor(5).shape).to.deep.equal([]);
  });

  it('makes bools of 0 and 1 from numbers of every kind', () => {
    const arrays = [Int32Array, Float32Array, Float64Array].map((kind) => kind.of(256, 2, 0, 1));
    for (const values of [
      ...arrays,
      Uint8Array.of(255, 2, 0, 1),
      [256, 2, 0, 1],
      [0.5, -1, -0, Number.NaN],
      [true, true, false, true],
    ]) {
      const bools = tensor(values as number[], { dtype: 'bool' });
      expect(Array.from(bools.storage.data)).to.deep.equal([1, 1, 0, 1]);
    }
    for (const made of [full([2], -3, { dtype: 'bool' }), ones(2, { dtype: 'bool' }), tensor([2, 7]).bool()])
      expect(Array.from(made.storage.data)).to.deep.equal([1, 1]);
    const mask = zeros(3, { dtype: 'bool' });
    expect(Array.from(mask.indexPutInPlace([tensor([1], { dtype: 'int32' })], 5).storage.data)).to.deep.equal(
      [0, 1, 0],
    );
    expect(Array.from(mask.copyInPlace(tensor([0, 2, 256])).storage.data)).to.deep.equal([0, 1, 1]);
  });

  it('joins more tensors than fit on the stack as arguments', () => {
    const one = tensor([7]);
    expect(cat(Array<Tensor>(200_000).fill(one)).shape).to.deep.equal([200_000]);
  });

  it('copies the numbers it is given', () => {
    const values = Float32Array.of(1, 2);
    const t = tensor(values);
    values[0] = 9;
    expect(t.toArray()).to.deep.equal([1, 2]);
  });

  it('takes a shape as numbers or as one array', () => {
    for (const make of [zeros, ones, rand, randn]) {
      expect(make(2, 3).shape).to.deep.equal([2, 3]);
      expect(make([2, 3]).shape).to.deep.equal([2, 3]);
      expect(make([]).shape).to.deep.equal([]);
      expect(make([2, 3], { requiresGrad: true }).requiresGrad).to.equal(true);
      expect(make(2, { dtype: 'float32' }).shape).to.deep.equal([2]);
    }
    const t = zeros(2, 3);
    expect([t.reshape(3, 2).shape, t.reshape([3, -1]).shape]).to.deep.equal([
      [3, 2],
      [3, 2],
    ]);
  });

  it('fills', () => {
    expect(full([2], 7, { dtype: 'int32' }).toArray()).to.deep.equal([7, 7]);
    expect(full(2, 0.5).toArray()).to.deep.equal([0.5, 0.5]);
    expect(ones([2], { dtype: 'bool' }).toArray()).to.deep.equal([true, true]);
    expect(eye(2).toArray()).to.deep.equal([
      [1, 0],
      [0, 1],
    ]);
  });

  it('counts as torch.arange', () => {
    expect(arange(4).toArray()).to.deep.equal([0, 1, 2, 3]);
    expect(arange(4).dtype).to.equal('int32');
    expect(arange(1, 2, 0.25).toArray()).to.deep.equal([1, 1.25, 1.5, 1.75]);
    expect(arange(5, 0, -2).toArray()).to.deep.equal([5, 3, 1]);
    expect(arange(3, 3).toArray()).to.deep.equal([]);
    expect(arange(3, undefined, 1, { dtype: 'float32' }).dtype).to.equal('float32');
    expect(() => arange(0, 3, -1)).to.throw('arange: from 0 to 3 in steps of -1 is never reached');
    expect(() => arange(0, 3, 0)).to.throw('is never reached');
  });

  it('draws from the seed, in the order of the calls', () => {
    const draw = () => {
      manualSeed(7);
      return [rand(2, 2), randn(3), randint(10, [4]), randint(-2, 3, [2, 2]), randperm(5)];
    };
    const [first, second] = [draw(), draw()];
    expect(second.map((t: Tensor) => t.toArray())).to.deep.equal(first.map((t: Tensor) => t.toArray()));
    expect(first.map((t) => t.dtype)).to.deep.equal(['float32', 'float32', 'int32', 'int32', 'int32']);
    expect(first.map((t) => t.shape)).to.deep.equal([[2, 2], [3], [4], [2, 2], [5]]);
  });

  it('names what is wrong', () => {
    expect(() => tensor([[1, 2], [3]])).to.throw('rows of 2 and of 1 elements are mixed');
    expect(() => tensor([1, [2]])).to.throw('the arrays do not all have the shape [2]');
    expect(() => tensor([[1], 2])).to.throw('the arrays do not all have the shape [2, 1]');
    expect(() => tensor(['1'] as unknown as number[])).to.throw("tensor: numbers are expected, not '1");
    expect(() => zeros(1.5)).to.throw('a shape is made of integers, not 1.5');
    expect(() => randint(3, 3, [1])).to.throw('randint: from 3 to 3 is empty');
  });
});

describe('tensors', () => {
  it('know their size', () => {
    fc.assert(
      fc.property(shapes({ shortest: 0 }), (shape) => {
        const t = zeros(shape);
        expect([t.size, t.ndim]).to.deep.equal([sizeOf(shape), shape.length]);
        expect(t.toFlatArray()).to.have.length(t.size);
      }),
    );
  });

  it('give their one element', () => {
    expect([
      tensor(3).item(),
      tensor([[4]]).item(),
      arange(6).reshape(2, 3).select(0, 1).select(0, 2).item(),
    ]).to.deep.equal([3, 4, 5]);
    expect(() => zeros(2).item()).to.throw('item: one element is expected, not a tensor of [2]');
    expect(() => zeros(0).item()).to.throw('item: one element is expected');
  });

  it('name what does not fit, in one line', () => {
    const t = zeros(2, 3);
    const ids = (list: number[]) => tensor(list, { dtype: 'int32' });
    const mistakes: [() => unknown, string][] = [
      [() => t.add(zeros(4)), 'add: [2, 3] and [4] do not broadcast: 3 against 4'],
      [() => t.reshape(4), 'reshape: [2, 3] has 6 elements, which do not fit [4]'],
      [() => t.reshape(-1, -1), 'reshape: [2, 3] has 6 elements, which do not fit [-1, -1]'],
      [() => t.reshape(4, -1), 'which do not fit [4, -1]'],
      [() => zeros(0).reshape(0, -1), 'which do not fit [0, -1]'],
      [() => t.T.view(6), 'view: [3, 2] cannot be seen as [6] without a copy; use reshape'],
      [() => t.permute(0), 'permute: [0] does not name each of the 2 axes once'],
      [() => t.permute(0, 0), 'does not name each of the 2 axes once'],
      [() => t.expand(3, 3), 'expand: [2, 3] does not broadcast to [3, 3]'],
      [() => t.expand(3), 'expand: [2, 3] does not broadcast to [3]'],
      [() => t.expand(-1, 2, 3), 'expand: [2, 3] does not broadcast to [-1, 2, 3]'],
      [() => t.sum(2), 'sum: there is no axis 2 in a tensor of 2 axes'],
      [() => t.transpose(0, -3), 'transpose: there is no axis -3 in a tensor of 2 axes'],
      [() => t.select(1, 3), 'select: there is no position 3 on an axis of length 3'],
      [() => t.select(1, -4), 'select: there is no position -4'],
      [() => tensor(1).select(0, 0), 'select: there is no axis 0 in a tensor of 0 axes'],
      [() => tensor(1).slice(0), 'slice: there is no axis 0'],
      [() => t.slice(0, 0, 2, 0), 'slice: a step of 0 is not a positive integer'],
      [() => t.split([1, 2]), 'split: parts of [1, 2] do not add up to an axis of length 2'],
      [() => t.t().unsqueeze(0).t(), 't: a matrix is expected, not 3 axes'],
      [() => t.topk(4), 'topk: there are no 4 elements on an axis of length 3'],
      [() => t.gather(0, ids([0])), 'gather: an index of [1] does not fit [2, 3]'],
      [() => t.gather(0, ids([2]).reshape(1, 1)), 'gather: there is no row 2 among 2'],
      [() => t.indexSelect(1, [3]), 'indexSelect: there is no position 3 on an axis of length 3'],
      [() => t.indexSelect(0, [-3]), 'indexSelect: there is no position -3 on an axis of length 2'],
      [() => t.indexSelect(0, [0.5]), 'indexSelect: there is no position 0.5'],
      [() => t.maskedSelect(zeros(4).bool()), 'maskedSelect: [2, 3] and [4] do not broadcast'],
      [() => t.index(0, 0, 0), 'index: 3 subscripts for a tensor of 2 axes'],
      [() => t.index(t.gt(0), 0), 'index: 3 subscripts for a tensor of 2 axes'],
      [() => t.index(zeros(3).bool()), 'index: a mask of [3] does not fit [2]'],
      [() => zeros(3).tril(), 'tril: a matrix is expected, not [3]'],
      [() => zeros(2, 0).max(), 'max: an axis of length 0 has no largest element'],
      [() => zeros(2, 0).argmin(1), 'argmin: an axis of length 0 has no smallest element'],
      [() => zeros(2, 2, 2).multinomial(1), 'multinomial: one or two axes are expected, not [2, 2, 2]'],
      [() => cat([]), 'cat: at least one tensor is expected'],
      [() => cat([t, zeros(2, 2)]), 'cat: [2, 2] does not join [2, 3] along axis 0'],
      [() => stack([t, zeros(2, 2)]), 'stack: [2, 2] and [2, 3] are not equal'],
    ];
    for (const [mistake, message] of mistakes) {
      expect(mistake).to.throw(message);
      expect(mistake).to.throw(/^[^\n]*$/);
    }
  });
});
