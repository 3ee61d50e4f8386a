import { expect } from 'chai';
import {
  arange,
  cat,
  eye,
  F,
  full,
  manualSeed,
  noGrad,
  ones,
  rand,
  randint,
  stack,
  type Tensor,
  tensor,
  UserError,
  where,
  zeros,
} from '../../lib/index.ts';
import { expectClose } from '../support/close.ts';
import { onEachEngine } from '../support/engines.ts';

// biome-ignore lint/suspicious/noExplicitAny: what TypeScript refuses, plain JavaScript passes on
type Anything = any;

const int = (values: Anything) => tensor(values, { dtype: 'int32' });
const leaf = (values: Anything) => tensor(values, { requiresGrad: true });
const gradient = (x: Tensor) => x.grad!.toArray();

function refused(mistakes: [() => unknown, string][]): void {
  for (const [mistake, message] of mistakes) {
    expect(mistake, message).to.throw(UserError, message);
    expect(mistake).to.throw(/^[^\n]*$/);
  }
}

onEachEngine('types', () => {
  it('whole numbers go to the floats that an operation works on, or are refused', () => {
    const normed = F.layerNorm(int([[0, 10, 20, 30]]), ones(4), zeros(4)).toFlatArray() as number[];
    expectClose(normed, [-1.3416407, -0.4472136, 0.4472136, 1.3416407], 1e-5, 'layerNorm');
    expect(F.crossEntropy(int([[5, 0, 1]]), int([0])).item()).to.be.closeTo(0.0247, 1e-4);
    expect(
      tensor([10, 20])
        .addInPlace(int([5, 5]))
        .toArray(),
    ).to.deep.equal([15, 25]);
    expect(
      F.causalSoftmax(
        int([
          [0, 0],
          [0, 0],
        ]),
        1,
      ).toArray(),
    ).to.deep.equal([
      [1, 0],
      [0.5, 0.5],
    ]);
    refused([
      [() => F.linear(ones(2, 3), int([[1, 2, 3]])), 'linear: the input is float32, the weight int32'],
      [() => F.linear(ones(2, 3), ones(2, 3), int([1, 2])), 'linear: the input is float32, the bias int32'],
      [
        () => F.layerNorm(ones(2, 3), int([1, 1, 1]), zeros(3)),
        'layerNorm: a scale of float32 [3] is expected',
      ],
      [() => int([1]).addInPlace(tensor([0.5])), 'addInPlace: a sum with float32 cannot be kept'],
      [
        () =>
          ones(2, 2).matmul(
            int([
              [1, 2],
              [3, 4],
            ]),
          ),
        'float32 against int32',
      ],
      [() => F.crossEntropy(ones(1, 2), tensor([true])), 'targets have to be int32 class numbers, not bool'],
      [() => F.embedding(ones(2, 2), tensor([true])), 'embedding: ids have to be int32, not bool'],
      [() => zeros(2, { dtype: 'int64' as Anything }), "zeros: there is no type 'int64'"],
      [() => zeros(2, { dtype: 'uint8' as Anything }), "zeros: there is no type 'uint8'"],
      [() => ones(2).to('cuda' as Anything), "to: there is no type 'cuda'"],
      [() => rand(2, { dtype: 'int32' }), 'rand: its numbers are float32'],
      [() => tensor(new BigInt64Array(2) as Anything), 'tensor: BigInt64Array is not one of'],
      [() => int([2 ** 31]), 'does not fit int32'],
      [() => full([2], Number.NaN, { dtype: 'int32' }), 'does not fit int32'],
      [() => int([1, 2]).maskedFill(tensor([true, false]), 0.5), 'a tensor of int32 cannot hold 0.5'],
      [() => where(tensor([1, 0]) as Anything, 1, 2), 'where: a bool tensor is expected, not float32'],
      [() => int([2]).pow(-1), 'pow: a whole number to a negative power'],
      [() => int([1, 2]).mean(), 'mean: float32 is expected, not int32'],
    ]);
  });

  it('whole numbers are multiplied exactly', () => {
    expect(
      int([123456789])
        .mul(int([987654321]))
        .item(),
    ).to.equal(Math.imul(123456789, 987654321));
    expect(
      int([[16777217, 1]])
        .matmul(int([[1], [1]]))
        .item(),
    ).to.equal(16777218);
    expect(F.embedding(int([[16777217]]), int([0])).item()).to.equal(16777217);
    expect(F.linear(int([[16777217, 1]]), int([[1, 1]]), int([1])).toArray()).to.deep.equal([[16777219]]);
  });

  it('bools are 0 or 1', () => {
    expect(full([2], 5, { dtype: 'bool' }).sum().item()).to.equal(2);
    expect(tensor([0.5, Number.NaN, 0]).bool().sum().item()).to.equal(2);
    refused([
      [() => tensor([true]).neg(), 'neg: a bool tensor has no neg'],
      [() => tensor([true]).sub(tensor([true])), 'sub: a bool tensor has no difference'],
      [() => tensor([1.5]).sub(tensor([true])), 'sub: a bool tensor has no difference'],
      [() => tensor([true]).sub(1), 'sub: a bool tensor has no difference'],
      [() => tensor([true]).addInPlace(tensor([true])), 'addInPlace: a sum with bool cannot be kept'],
    ]);
    expect(tensor([true]).square().dtype).to.equal('int32');
  });
});

onEachEngine('lengths, axes and ranges', () => {
  it('of what is too large for any memory are refused', () => {
    refused([
      [() => zeros(2 ** 40), 'zeros: 1099511627776 elements do not fit into memory'],
      [() => full([2 ** 20, 2 ** 20], 1), 'full: 1099511627776 elements do not fit into memory'],
      [() => arange(2 ** 40), 'arange: 1099511627776 elements do not fit into memory'],
      [() => ones(2).repeat(2 ** 40), 'repeat: 2199023255552 elements do not fit into memory'],
      [() => zeros(), 'a shape is expected'],
    ]);
  });

  it('that do not fit are named', () => {
    const x = arange(5);
    refused([
      [() => F.linear(ones(2, 3), ones(3, 3), ones(1)), 'linear: a bias of [3] is expected, not [1]'],
      [() => F.linear(ones(2, 3), ones(3, 3), ones(5)), 'linear: a bias of [3] is expected, not [5]'],
      [
        () => F.embedding(ones(5, 3, 2), int([0])),
        'embedding: a weight of [rows, d] is expected, not [5, 3, 2]',
      ],
      [() => F.layerNorm(ones(2, 3), ones(3, 1), zeros(3)), 'a scale of float32 [3] is expected'],
      [() => x.narrow(0, 3, 100), 'narrow: there are no 100 elements from 3 on, on an axis of length 5'],
      [() => x.narrow(0, -6, 1), 'narrow: there are no 1 elements from -6 on'],
      [() => x.narrow(0, 0, -1), 'narrow: a length is a whole number from 0 up, not -1'],
      [() => x.slice(0, 0.5), 'slice: a bound is a whole number, not 0.5'],
      [() => x.split([7, -2]), 'split: a part is a whole number from 0 up, not -2'],
      [() => x.split(0), 'split: a part is a whole number from 1 up, not 0'],
      [() => ones(2, 2).sum([0, 0]), 'sum: an axis comes twice in [0, 0]'],
      [() => ones(2, 2).sum([0, -2]), 'sum: an axis comes twice'],
      [() => tensor(3).softmax(1), 'softmax: there is no axis 1 in a tensor of 0 axes'],
      [() => ones(2, 2, 2).flatten(2, 0), 'flatten: the first axis, 2, comes after the last, 0'],
      [() => arange(1, 0, 5), 'arange: from 1 to 0 in steps of 5 is never reached'],
      [() => arange(0, Number.NaN), 'arange: each of start, end and step is a finite number, not NaN'],
      [() => eye(-1), 'eye: the number of rows is a whole number from 0 up, not -1'],
      [() => zeros(-1), 'zeros: an axis cannot have a length of -1'],
      [() => full([2, -1], 3), 'full: an axis cannot have a length of -1'],
      [() => randint(0, 5, [-1]), 'randint: an axis cannot have a length of -1'],
      [
        () => tensor([1, 2]).multinomial(-1),
        'multinomial: the number of samples is a whole number from 1 up',
      ],
      [
        () => tensor([1, 2]).multinomial(1.5),
        'multinomial: the number of samples is a whole number from 1 up',
      ],
      [() => tensor([1, 2]).topk(1.5), 'topk: k is a whole number from 0 up, not 1.5'],
      [() => ones(2, 2).tril(0.5), 'tril: a diagonal is a whole number, not 0.5'],
      [() => ones(2, 2).indexSelect(0, ones(1)), 'indexSelect: positions are a list or int32 of one axis'],
    ]);
  });

  it('count from the end where PyTorch counts', () => {
    expect(arange(5).narrow(0, -2, 2).toArray()).to.deep.equal([3, 4]);
    expect(arange(5).narrow(0, 5, 0).shape).to.deep.equal([0]);
    expect(arange(5).narrow(0, int(1), 2).toArray()).to.deep.equal([1, 2]);
    expect(ones(2, 3).sum([]).item()).to.equal(6);
  });

  it('of a tensor without axes: axis 0 and −1', () => {
    const x = tensor(3);
    for (const axis of [0, -1]) {
      expect(x.max(axis).values.item()).to.equal(3);
      expect(x.min(axis, true).indices.shape).to.deep.equal([]);
      expect(x.argmax(axis).item()).to.equal(0);
      expect(x.softmax(axis).item()).to.equal(1);
      expect(x.transpose(0, axis).item()).to.equal(3);
      expect(x.gather(axis, int(0)).item()).to.equal(3);
      expect(x.indexSelect(axis, [0]).item()).to.equal(3);
      expect(x.sort(axis).values.item()).to.equal(3);
      expect(x.topk(1, axis).values.shape).to.deep.equal([]);
      expect(x.squeeze(axis).shape).to.deep.equal([]);
      refused([[() => x.argmax(axis < 0 ? -2 : 1), 'argmax: there is no axis']]);
    }
    refused([
      [() => x.narrow(0, 0, 1), 'narrow: there is no axis 0'],
      [() => x.select(0, 0), 'select: there is no axis 0'],
    ]);
  });

  it('of nothing', () => {
    expect(cat([zeros(0), ones(2, 2)]).shape).to.deep.equal([2, 2]);
    expect(cat([ones(2, 2), zeros(0)], 1).shape).to.deep.equal([2, 2]);
    expect(cat([zeros(0), zeros(0)]).shape).to.deep.equal([0]);
    for (const axis of [0, 1]) expect(stack([zeros(0), zeros(0)], axis).size).to.equal(0);
    expect(stack([zeros(0, 2), zeros(0, 2)], 2).shape).to.deep.equal([0, 2, 2]);
    expect(zeros(0).var().item()).to.eql(Number.NaN);
    expect(zeros(0).mean().item()).to.eql(Number.NaN);
    expect(tensor([1]).std().item()).to.eql(Number.NaN);
    expect(zeros(0, 3).multinomial(2).shape).to.deep.equal([0, 2]);
    refused([
      [() => zeros(0).argmax(), 'argmax: an axis of length 0 has no largest element'],
      [() => zeros(2, 0).max(1), 'max: an axis of length 0 has no largest element'],
      [() => stack([]), 'stack: at least one tensor is expected'],
    ]);
  });
});

onEachEngine('NaN is the largest', () => {
  const { NaN: nan } = Number;
  it('for max, min, argmax, argmin, amax, amin', () => {
    const x = tensor([1, nan, 3, nan]);
    expect([x.max(0).values.item(), x.max(0).indices.item()]).to.eql([nan, 1]);
    expect([x.min(0).values.item(), x.min(0).indices.item()]).to.eql([nan, 1]);
    expect([x.argmax().item(), x.argmin().item(), x.argmax(0).item()]).to.eql([1, 1, 1]);
    expect([x.amax().item(), x.amin(0).item(), x.max().item()]).to.eql([nan, nan, nan]);
  });

  it('for sort, argsort and topk', () => {
    const x = tensor([nan, 1, Infinity, nan, -Infinity]);
    expect(x.argsort().toArray()).to.deep.equal([4, 1, 2, 0, 3]);
    expect(x.argsort(0, true).toArray()).to.deep.equal([0, 3, 2, 1, 4]);
    expect(x.topk(3).indices.toArray()).to.deep.equal([0, 3, 2]);
    expect(x.topk(2, 0, false).indices.toArray()).to.deep.equal([4, 1]);
  });
});

onEachEngine('gradients at singular points', () => {
  it('are 0 where the slope is not defined', () => {
    const x = full([3], 2, { requiresGrad: true });
    x.std().backward();
    expect(gradient(x)).to.deep.equal([0, 0, 0]);
  });

  it('let nothing through where nothing passes', () => {
    for (const upstream of [Infinity, Number.NaN]) {
      const operations: [(x: Tensor) => Tensor, number[]][] = [
        [(x) => x.relu(), [0, 0, upstream]],
        [(x) => x.clamp(-1, 1), [0, upstream, 0]],
        [(x) => x.clamp(0), [0, 0, upstream]],
        [(x) => x.maximum(tensor([0, 1, 2])), [0, 0, upstream]],
        [(x) => x.minimum(tensor([0, 1, 2])), [upstream, upstream, 0]],
        [(x) => x.maskedFill(tensor([true, true, false]), 0), [0, 0, upstream]],
        [(x) => x.pow(0), [0, 0, 0]],
      ];
      for (const [operation, wanted] of operations) {
        const x = leaf([-2, 0, 5]);
        operation(x).backward(full([3], upstream));
        expect(gradient(x), String(operation)).to.eql(wanted);
      }
    }
  });

  it('go through small divisors', () => {
    const b = leaf([1e-25]);
    tensor([1e-25]).div(b).backward(ones(1));
    expect((gradient(b) as number[])[0] / -1e25).to.be.closeTo(1, 1e-6);
  });
});

onEachEngine('subscripts', () => {
  it('pair tensors, as PyTorch and NumPy', () => {
    const x = arange(9).reshape(3, 3);
    const ids = arange(3);
    expect(x.index(ids, ids).toArray()).to.deep.equal([0, 4, 8]);
    expect(x.index(int([0, -1]), int([-1, 0])).toArray()).to.deep.equal([2, 6]);
    expect(x.index(int([[0], [2]]), int([0, 1])).toArray()).to.deep.equal([
      [0, 1],
      [6, 7],
    ]);
    const y = arange(24).reshape(2, 3, 4);
    expect(y.index(1, ids, ids).toArray()).to.deep.equal([12, 17, 22]);
    expect(y.index(int([0, 1]), null, int([0, 3])).toArray()).to.deep.equal([
      [0, 4, 8],
      [15, 19, 23],
    ]);
    expect(y.index(null, int([0, 2]), int([1, 3])).toArray()).to.deep.equal([
      [1, 11],
      [13, 23],
    ]);
    refused([
      [() => x.index(ids, int([0, 1])), 'index: [3] and [2] do not broadcast'],
      [() => x.index(ids, int([0, 1, 3])), 'index: there is no position 3 on an axis of length 3'],
      [() => x.index(ones(2)), 'index: a tensor of int32 or bool is expected, not float32'],
    ]);
  });

  it('take masks over one or more axes', () => {
    const x = arange(6).reshape(2, 3);
    expect(x.index(tensor([false, true])).toArray()).to.deep.equal([[3, 4, 5]]);
    expect(x.index(null, tensor([true, false, true])).toArray()).to.deep.equal([
      [0, 2],
      [3, 5],
    ]);
    expect(x.index(x.gt(2)).toArray()).to.deep.equal([3, 4, 5]);
    expect(x.index(tensor([true, true]), int([0, 2])).toArray()).to.deep.equal([0, 5]);
    refused([[() => x.index(tensor([true])), 'index: a mask of [1] does not fit [2]']]);
  });

  it('give each paired element its own gradient', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    x.index(int([0, 1, 1]), int([1, 0, 0]))
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(gradient(x)).to.deep.equal([
      [0, 1],
      [110, 0],
    ]);
  });
});

onEachEngine('writing in place', () => {
  it('what backward still needs is an error', () => {
    const operations: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
      mul: (x, y) => x.mul(y),
      div: (x, y) => x.div(y),
      matmul: (x, y) => x.unsqueeze(0).matmul(y.unsqueeze(1)),
      linear: (x, y) => F.linear(x, y.unsqueeze(0)),
      maximum: (x, y) => x.maximum(y),
      where: (x, y) => x.mul(y),
    };
    for (const [name, operation] of Object.entries(operations)) {
      const x = leaf([1, 2]);
      const y = tensor([3, 4]);
      const out = operation(x, y).sum();
      y.addInPlace(ones(2));
      expect(() => out.backward(), name).to.throw(UserError, /needs again was changed in place/);
    }
    const x = leaf([1, 2]);
    const y = x.exp();
    const out = y.sum();
    noGrad(() => y.addInPlace(ones(2)));
    expect(() => out.backward()).to.throw(
      UserError,
      'backward: a tensor of [2] that exp needs again was changed',
    );
  });

  it('what backward does not read may change', () => {
    const x = leaf([1, 2]);
    const y = tensor([3, 4]);
    const out = x.add(y).sub(y).relu().sum();
    y.addInPlace(ones(2));
    noGrad(() => x.addInPlace(ones(2)));
    out.backward();
    expect(gradient(x)).to.deep.equal([1, 1]);
    const frozen = tensor([5, 6]);
    const z = leaf([1, 2]);
    const product = z.mul(frozen).sum(); // reads frozen alone
    noGrad(() => z.addInPlace(ones(2)));
    product.backward();
    expect(gradient(z)).to.deep.equal([5, 6]);
  });

  it('a view shares its version with the whole', () => {
    const x = leaf([1, 2]);
    const whole = ones(2, 2);
    const out = x.mul(whole.select(0, 0)).sum();
    whole.select(0, 1).copyInPlace(zeros(2));
    expect(() => out.backward()).to.throw(UserError, 'changed in place');
  });

  it('is refused where a gradient would be lost', () => {
    const w = leaf([1, 2]);
    refused([
      [() => w.addInPlace(ones(2)), 'addInPlace: a leaf that requires a gradient cannot be changed in place'],
      [() => w.mul(2).addInPlace(ones(2)), 'addInPlace: a result that a gradient passes through'],
      [() => w.copyInPlace(ones(2)), 'copyInPlace: a leaf that requires a gradient'],
      [() => w.slice(0, 0, 1).copyInPlace(ones(1)), 'copyInPlace: a result that a gradient passes through'],
      [() => zeros(2).addInPlace(w), 'addInPlace: the gradient of what is written would be lost'],
    ]);
    noGrad(() => w.addInPlace(ones(2)));
    expect(w.toArray()).to.deep.equal([2, 3]);
    expect(zeros(2, { requiresGrad: true }).copyInPlace(ones(2)).toArray()).to.deep.equal([1, 1]);
  });

  it('is refused where elements share memory', () => {
    const x = arange(6).float();
    refused([
      [() => zeros(1).expand(3).addInPlace(ones(3)), 'addInPlace: several elements of [3] share one place'],
      [() => zeros(2, 1).expand(2, 3).copyInPlace(ones(3)), 'copyInPlace: several elements of [2, 3]'],
      [
        () => x.slice(0, 1).copyInPlace(x.slice(0, 0, 5)),
        'copyInPlace: the tensor that is written and the one',
      ],
    ]);
    const square = arange(4).float().reshape(2, 2);
    refused([[() => square.copyInPlace(square.t()), 'overlap']]);
    // Only some elements could meet: as if the source had been copied first.
    x.slice(0, 0, 5, 2).copyInPlace(x.slice(0, 1, 6, 2));
    expect(x.toArray()).to.deep.equal([1, 1, 3, 3, 5, 5]);
    refused([[() => ones(2).addInPlace(ones(3)), 'addInPlace: [3] does not broadcast to [2]']]);
  });
});

onEachEngine('arguments', () => {
  it('that nobody knows are refused', () => {
    const x = tensor([[3, 1, 2]]) as Anything;
    refused([
      [() => x.softmax(-1, 'float32'), 'softmax: it takes one argument, not 2'],
      [() => x.exp(1), 'exp: it takes no argument, not 1'],
      [() => x.sort(-1, false, true), 'sort: it takes at most 2 arguments, not 3'],
      [() => (F as Anything).softmax(x, -1, 3), 'softmax: it takes at most 2 arguments, not 3'],
      [
        () => (F as Anything).layerNorm(x, [3], ones(3), zeros(3)),
        'layerNorm: a scale of float32 [3] is expected',
      ],
      [() => x.sum(0, { keepdim: 1 }), 'sum: keepdim is true or false, not 1'],
      [() => x.sum(0, { keep_dim: true }), 'sum: there is no option keep_dim; did you mean keepdim?'],
      [() => x.sum({ dim: 0 }), 'sum: there is no axis an object'],
      [() => x.var(0, { unbiassed: false }), 'var: there is no option unbiassed'],
      [() => x.std(0, false), 'var: options are given as { unbiased, correction, keepdim }, not as false'],
      [() => x.topk(2, -1, { sorted: true }), 'topk: there is no option sorted'],
      [() => x.backward(undefined, { retain_graph: true }), 'did you mean retainGraph?'],
      [() => (tensor as Anything)([1], { requires_grad: true }), 'did you mean requiresGrad?'],
      [() => (zeros as Anything)(2, { device: 'cuda' }), 'zeros: there is no option device'],
      [
        () => F.crossEntropy(x, int([0]), { size_average: true } as Anything),
        'there is no option size_average',
      ],
      [
        () => F.crossEntropy(x, int([0]), { reduction: 'batchmean' } as Anything),
        "reduction is 'mean', 'sum' or 'none'",
      ],
      [() => x.add('2'), "add: a tensor or a number is expected, not '2'"],
      [() => x.max(x), 'max: there is no axis a tensor'],
      [() => x.clamp(), 'clamp: a lower or an upper bound is expected'],
    ]);
  });

  it('that PyTorch has are heard', () => {
    const x = tensor([[3, 1, 2]]);
    expect(x.argmax(undefined, true).toArray()).to.deep.equal([[0]]);
    expect(x.topk(2, -1, false).values.toArray()).to.deep.equal([[1, 2]]);
    expect(x.topk(2, -1, { largest: false }).indices.toArray()).to.deep.equal([[1, 2]]);
    expect(x.clamp(2).toArray()).to.deep.equal([[3, 2, 2]]);
    expect(x.clamp(null, 2).toArray()).to.deep.equal([[2, 1, 2]]);
    expect(x.clamp(tensor([4, 0, 0]), 3).toArray()).to.deep.equal([[3, 1, 2]]);
    expect(x.var(1, { correction: 0 }).toArray()).to.deep.equal(x.var(1, { unbiased: false }).toArray());
    const logits = tensor([
      [1, 2, 3],
      [0, 0, 0],
    ]);
    const targets = int([0, 2]);
    const each = F.crossEntropy(logits, targets, { reduction: 'none' });
    expectClose(each.toFlatArray(), [2.4076059, 1.0986123], 1e-6, 'none');
    expect(F.crossEntropy(logits, targets, { reduction: 'sum' }).item()).to.be.closeTo(3.5062182, 1e-5);
  });

  it('a shape cannot be written to by its type, and slices of all kinds leave it as it is', () => {
    const x = ones(2, 3);
    const shape: readonly number[] = x.shape;
    x.sum(0).unsqueeze(0).expand(2, 3).t().reshape(-1);
    expect([x.shape, shape]).to.deep.equal([
      [2, 3],
      [2, 3],
    ]);
  });
});

describe('top-k', () => {
  it('is the beginning of the whole order, for any k', () => {
    manualSeed(3);
    for (const n of [1, 2, 7, 100, 1000]) {
      const x = randint(0, 20, [n]).float(); // with many equal ones
      for (const k of [0, 1, 2, 5, n - 1, n].filter((count) => count >= 0 && count <= n)) {
        for (const largest of [true, false]) {
          const wanted = x.argsort(0, largest).slice(0, 0, k).toArray();
          expect(x.topk(k, 0, largest).indices.toArray()).to.deep.equal(wanted);
        }
      }
    }
  });
});
