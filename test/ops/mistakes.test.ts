import { expect } from 'chai';
import { arange, bincount, einsum, F, linspace, ones, tensor, UserError, zeros } from '../../lib/index.ts';

const ids = (...list: number[]) => tensor(list, { dtype: 'int32' });

/** What operations refuse, with the line that they say. The names stand for the operations in the table. */
const MISTAKES: [mistake: () => unknown, message: string][] = [
  [() => einsum('ij,jk', ones(2, 3)), "einsum: 'ij,jk' is for 2 operands, not 1"],
  [() => einsum('ij', ones(2, 3), ones(2)), "einsum: 'ij' is for 1 operands, not 2"],
  [
    () => einsum('ij->i', ones(2, 3, 4)),
    "einsum: operand 0 has the shape [2, 3, 4], but 'ij' names other axes",
  ],
  [() => einsum('...ij', ones(2)), "einsum: operand 0 has the shape [2], but '...ij' names other axes"],
  [() => einsum('ij,jk', ones(2, 3), ones(4, 2)), "einsum: 'j' has length 3 in one operand and 4 in another"],
  [
    () => einsum('...,...', ones(2), ones(3)),
    'einsum: an axis of the ellipsis has length 2 in one operand and 3 in another',
  ],
  [() => einsum('ii', ones(2, 3)), "einsum: 'i' stands twice in operand 0, for axes of length 2 and 3"],
  [() => einsum('ij->k', ones(2, 3)), "einsum: no operand has the axis 'k' of the output"],
  [() => einsum('ij->ii', ones(2, 3)), "einsum: 'i' stands twice in the output"],
  [() => einsum('i1', ones(2, 3)), "einsum: '1' in 'i1' is not a letter"],
  [() => einsum('i..j', ones(2, 3)), "einsum: '.' in 'i..j' is not a letter, nor part of the one ellipsis"],
  [() => einsum('i->i->i', ones(2)), "einsum: 'i->i->i' has more than one arrow"],

  [() => ones(2, 3).repeat(2), 'repeat: a count for each of the 2 axes is expected, not [2]'],
  [() => ones(2).repeat(-1), 'repeat: whole numbers from 0 are expected as counts, not [-1]'],
  [
    () => ones(3).repeatInterleave([1, 2], 0),
    'repeatInterleave: one count or 3 are expected for an axis of length 3',
  ],
  [() => ones(3).repeatInterleave(ones(3), 0), 'repeatInterleave: int32 counts are expected, not float32'],
  [() => ones(3).chunk(0), 'chunk: chunks is a whole number from 1 up, not 0'],
  [() => ones(3, 3).diagonal(1, -1), 'diagonal: two axes are expected, not 1 twice'],
  [() => ones(2, 2).outer(ones(2)), 'outer: two tensors of one axis are expected, not [2, 2] and [2]'],
  [() => arange(3).norm(), 'norm: float32 is expected, not int32; use float() first'],
  [() => ones(2).cumsum(1), 'cumsum: there is no axis 1 in a tensor of 1 axes'],
  [() => linspace(0, 1, -1), 'linspace: steps is a whole number from 0 up, not -1'],
  [() => ones(2).allclose(arange(2)), 'allclose: float32 and int32 are not one type'],
  [() => ones(2).allclose(ones(2), { rtol: -1 }), 'allclose: rtol is a finite number of at least 0, not -1'],
  [
    () => ones(2).allclose(ones(2), { equal_nan: true } as object),
    'allclose: there is no option equal_nan; did you mean equalNan?',
  ],

  [() => ones(2, 3).scatter(1, ids(0), ones(1)), 'scatter: an index of [1] does not fit into [2, 3]'],
  [
    () => ones(3).scatter(0, ids(0, 1), ones(1)),
    'scatter: an index of [2] does not fit into [3] and a source of [1]',
  ],
  [() => ones(3).scatter(0, ids(3), 1), 'scatter: there is no position 3 on an axis of length 3'],
  [() => ones(3).scatter(0, ids(-1), 1), 'scatter: there is no position -1 on an axis of length 3'],
  [() => ones(3).scatter(0, ones(1), 1), 'scatter: an int32 index is expected, not float32'],
  [() => ones(3).scatterAdd(0, ids(1), ids(1)), 'scatterAdd: a source of float32 is expected, not int32'],
  [() => tensor([true]).scatterAdd(0, ids(0), tensor([true])), 'scatterAdd: bools cannot be added'],
  [
    () => ones(3, 2).indexAdd(0, ids(1), ones(2, 2)),
    'indexAdd: an index [n] and a source of [n, 2] are expected, not [1] and [2, 2]',
  ],
  [() => bincount(ids(-1)), 'bincount: -1 is below 0'],
  [() => bincount(ones(2)), 'bincount: int32 is expected, not float32'],
  [() => bincount(ids(1).reshape(1, 1)), 'bincount: one axis is expected, not [1, 1]'],
  [() => F.oneHot(ids(3), 3), 'oneHot: the id 3 is not one of 3 classes'],
  [() => F.oneHot(ones(2)), 'oneHot: int32 is expected, not float32'],

  [() => ones(2, 3).index(0, 0, 0), 'index: 3 subscripts for a tensor of 2 axes'],
  [() => ones(2, 3).index('...', 0, '...'), "index: '...' can stand once only"],
  [() => ones(2, 3).index(ones(2)), 'index: a tensor of int32 or bool is expected, not float32; use int()'],
  [() => ones(2, 3).index(ids(2)), 'index: there is no position 2 on an axis of length 2'],
  [() => ones(2, 3).index(ids(0, 1), ids(0, 1, 2)), 'index: [2] and [3] do not broadcast: 2 against 3'],
  [() => ones(2, 3).index(tensor([true])), 'index: a mask of [1] does not fit [2]'],
  [
    () => ones(2).index('last' as '...'),
    "index: a number, null, a range, '...', 'newaxis' or a tensor is expected, not 'last'",
  ],
  [() => zeros(2, 3).indexPutInPlace([0], ones(2)), 'copyInPlace: [2] does not broadcast to [3]'],

  [
    () => F.gelu(ones(2), { approximate: 'erf' as 'none' }),
    `gelu: approximate is 'none' or 'tanh', not 'erf'`,
  ],
  [
    () => F.rmsNorm(ones(2, 3), ones(2)),
    'rmsNorm: x [..., d] and a weight [d] are expected, not [2, 3] and [2]',
  ],
  [
    () => F.rotaryEmbedding(ones(2, 3), ones(2, 1), ones(2, 1)),
    'rotaryEmbedding: x [..., t, d] with an even d is expected, not [2, 3]',
  ],
  [
    () => F.rotaryEmbedding(ones(2, 4), ones(3, 2), ones(2, 2)),
    'rotaryEmbedding: a fixed cos of float32 [2, 2] is expected, not float32 of [3, 2]',
  ],
  [
    () => F.rotaryEmbedding(ones(2, 4), ones(2, 2), ones(2, 2).requiresGrad_()),
    'rotaryEmbedding: a fixed sin of float32 [2, 2] is expected, not one that requires a gradient',
  ],
  [
    () => F.mseLoss(ones(2), ones(2), { reduction: 'max' as 'mean' }),
    `mseLoss: reduction is 'mean', 'sum' or 'none', not 'max'`,
  ],
  [
    () => F.binaryCrossEntropyWithLogits(ones(2, 1), ones(2)),
    'binaryCrossEntropyWithLogits: targets of [2, 1] are expected, not [2]',
  ],
  [
    () => F.scaledDotProductAttention(ones(2, 3), ones(2, 4), ones(2, 4)),
    'scaledDotProductAttention: queries [..., l, d], keys [..., s, d] and values [..., s, e] are expected, not [2, 3], [2, 4], [2, 4]',
  ],
  [
    () =>
      F.scaledDotProductAttention(ones(2, 3), ones(2, 3), ones(2, 3), {
        isCausal: true,
        attnMask: ones(2, 2),
      }),
    'scaledDotProductAttention: give attnMask or isCausal, not both',
  ],
  [
    () => F.scaledDotProductAttention(ones(2, 3), ones(2, 3), ones(2, 3), { offset: 1 }),
    'scaledDotProductAttention: offset needs isCausal: it counts earlier keys',
  ],
  [
    () => F.scaledDotProductAttention(ones(3, 2, 3), ones(2, 2, 3), ones(2, 2, 3), { enableGqa: true }),
    'scaledDotProductAttention: 3 heads of queries cannot share 2 of keys evenly',
  ],
];

describe('operations refuse', () => {
  for (const [mistake, message] of MISTAKES) {
    it(message, () => {
      expect(mistake).to.throw(Error, message);
      expect(mistake).to.throw(/^[^\n]*$/);
    });
  }

  it('what is a mistake of the user, as such', () => {
    expect(() => einsum('ij', ones(2))).to.throw(UserError);
  });
});
