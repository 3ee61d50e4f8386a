import { manualSeed, multinomial, type Tensor, tensor } from '../../../lib/index.ts';
import { distinct, flags, given, type Input, positive, real, whole } from '../inputs.ts';
import { type Operation, operation } from '../operation.ts';

const of = (...shapes: number[][]): Input[][] => shapes.map((shape) => [real(...shape)]);
const ordered = (...shapes: number[][]): Input[][] => shapes.map((shape) => [distinct(...shape)]);
const some = ordered([5], [2, 4], [2, 3, 4], [1, 3]);
const square = of([3, 3], [2, 4], [4, 2], [2, 3, 3], [1, 1], [0, 2]);
const ids = (...list: number[]): Tensor => tensor(list, { dtype: 'int32' });
const three = whole(0, 3);
const tied = [[given([2, 4], [1, 3, 3, 2, 0, 0, -1, 0])]];

function seeded(draw: (weights: Tensor) => Tensor): (weights: Tensor) => Tensor {
  return (weights) => {
    manualSeed(123);
    return draw(weights);
  };
}

export const indexing: readonly Operation[] = [
  operation('indexSelect', 'a[[2, 0, 2]]', (a) => a.indexSelect(0, [2, 0, 2]), of([3], [3, 2], [4, 2, 2]), {
    sized: (n) => [real(3, n)],
  }),
  operation(
    'indexSelect along the last axis',
    'a[..., [0, -1]]',
    (a) => a.indexSelect(-1, [0, -1]),
    of([2, 3], [2, 3, 4]),
  ),
  operation(
    'indexSelect by a tensor',
    'a.index_select(1, b)',
    (a, b) => a.indexSelect(1, b),
    [
      [real(2, 3), three(5)],
      [real(2, 4, 2), three(2)],
      [real(2, 3), three(0)],
    ],
    { sized: (n) => [real(n, 3), three(n)] },
  ),
  operation(
    'indexSelect of large int',
    'a.index_select(0, b)',
    (a, b) => a.indexSelect(0, b),
    [[given([3], [16777217, -2147483647, 5], 'int32'), three(4)]],
    { gradient: false, sized: (n) => [whole(2 ** 24, 2 ** 31 - 1)(3), three(n)] },
  ),
  operation('maskedSelect', 'a[b]', (a, b) => a.maskedSelect(b), [
    [real(2, 3), flags(2, 3)],
    [real(4), given([4], [0, 0, 0, 0], 'bool')],
  ]),
  operation(
    'gather',
    'a.gather(1, b)',
    (a, b) => a.gather(1, b),
    [
      [real(2, 3), three(2, 4)],
      [real(3, 4), three(2, 1)],
      [real(2, 3, 2), three(2, 2, 1)],
      [real(2, 3), three(0, 2)],
    ],
    { sized: (n) => [real(n, 3), three(n, n)] },
  ),
  operation('gather along the first axis', 'a.gather(0, b)', (a, b) => a.gather(0, b), [
    [real(3, 2), three(4, 2)],
    [real(3), three(5)],
  ]),
  operation('gather of int', 'a.gather(-1, b)', (a, b) => a.gather(-1, b), [[three(2, 3), three(2, 2)]], {
    gradient: false,
    sized: (n) => [three(n, 3), three(n, 2)],
  }),
  operation('topk: values', 'a.topk(2)[0]', (a) => a.topk(2).values, some, {
    sized: (n) => [distinct(3, n + 1)],
  }),
  operation('topk: indices', 'a.topk(2)[1]', (a) => a.topk(2).indices, some, {
    gradient: false,
    sized: (n) => [distinct(n + 1)],
  }),
  operation('topk along the first axis', 'a.topk(1, 0)[0]', (a) => a.topk(1, 0).values, some),
  operation('sort: values', 'a.sort()[0]', (a) => a.sort().values, some),
  operation('sort: indices, descending', 'a.sort(0, True)[1]', (a) => a.sort(0, true).indices, some, {
    gradient: false,
  }),
  operation('sort, descending', 'a.sort(-1, True)[0]', (a) => a.sort(-1, true).values, some),
  operation('argsort', 'a.argsort(0)', (a) => a.argsort(0), some, { gradient: false }),
  operation('argsort of equal ones', 'a.sort(stable=True)[1]', (a) => a.argsort(), tied, { gradient: false }),
  operation('tril', 'a.tril()', (a) => a.tril(), square),
  operation('triu', 'a.triu()', (a) => a.triu(), square),
  operation('tril of another diagonal', 'a.tril(-1)', (a) => a.tril(-1), square),
  operation('triu of another diagonal', 'a.triu(1)', (a) => a.triu(1), square),
  operation('triu of int', 'a.triu(2)', (a) => a.triu(2), [[three(3, 4)]], { gradient: false }),

  operation('index by a number', 'a[1]', (a) => a.index(1), of([2], [2, 3], [3, 2, 2]), {
    sized: (n) => [real(2, n)],
  }),
  operation('index: the last position', 'a[:, -1]', (a) => a.index(null, -1), of([2, 3], [2, 3, 2])),
  operation('index by ranges', 'a[0:-1, 1::2]', (a) => a.index([0, -1], [1, null, 2]), of([3, 4], [2, 5, 2])),
  operation(
    'index by a number and a range',
    'a[-1, :, :2]',
    (a) => a.index(-1, null, [null, 2]),
    of([2, 3, 4]),
  ),
  operation('index by ids', 'a[[2, 0, 0]]', (a) => a.index(ids(2, 0, 0)), of([3, 2], [3]), {
    sized: (n) => [real(3, n)],
  }),
  operation(
    'index by ids of two axes',
    'a[:, b]',
    (a, b) => a.index(null, b),
    [[real(2, 3, 2), three(2, 2)]],
    {
      sized: (n) => [real(2, 3, n), three(2, n)],
    },
  ),
  operation('index by a mask', 'a[b]', (a, b) => a.index(b), [[real(2, 3), flags(2, 3)]]),

  operation(
    'index by pairs of ids',
    'a[b, c]',
    (a, b, c) => a.index(b, c),
    [
      [real(3, 4), three(5), three(5)],
      [real(3, 3, 2), three(2, 1), three(4)],
      [real(3, 4), three(0), three(0)],
      [real(3, 4), three(), three(2)],
    ],
    { sized: (n) => [real(3, n + 2), three(n), three(n)] },
  ),
  operation(
    'index by pairs of ids behind a range',
    'a[:, b, c]',
    (a, b, c) => a.index(null, b, c),
    [[real(2, 3, 4), three(5), three(5)]],
    {
      sized: (n) => [real(2, 3, n + 2), three(n), three(n)],
    },
  ),
  operation(
    'index by pairs of ids around a range',
    'a[b, :, c]',
    (a, b, c) => a.index(b, null, c),
    [[real(3, 2, 4), three(5), three(5)]],
    {
      sized: (n) => [real(3, n, 4), three(n), three(n)],
    },
  ),
  operation(
    'index by a number and ids',
    'a[1, :, b]',
    (a, b) => a.index(1, null, b),
    [[real(2, 3, 4), three(5)]],
    {
      sized: (n) => [real(2, n, 4), three(n)],
    },
  ),
  operation(
    'index by three lists of ids',
    'a[1, b, c]',
    (a, b, c) => a.index(1, b, c),
    [[real(2, 3, 4), three(3), three(3)]],
    {
      sized: (n) => [real(2, 3, n + 2), three(n), three(n)],
    },
  ),
  operation('index by negative ids', 'a[b]', (a, b) => a.index(b), [[real(3, 2), whole(-3, 3)(5)]], {
    sized: (n) => [real(3, n), whole(-3, 3)(n)],
  }),
  operation(
    'index by a mask of the first axis',
    'a[b]',
    (a, b) => a.index(b),
    [
      [real(3, 2), flags(3)],
      [real(2, 3, 2), flags(2, 3)],
    ],
    {
      sized: (n) => [real(n, 2), flags(n)],
    },
  ),
  operation('index by a mask behind a range', 'a[:, b]', (a, b) => a.index(null, b), [
    [real(2, 3), flags(3)],
    [real(2, 3, 2), flags(3, 2)],
  ]),
  // A mask that is repeated chooses another number of elements, which the ids do not fit.
  operation(
    'index by a mask and ids',
    'a[b, c]',
    (a, b, c) => a.index(b, c),
    [
      [real(3, 4), given([3], [1, 0, 1], 'bool'), three(1)],
      [real(3, 4), given([3], [1, 0, 1], 'bool'), three(2)],
    ],
    { anyLayout: false, sized: (n) => [real(3, n + 2), given([3], [1, 0, 1], 'bool'), three(1)] },
  ),
  operation('index by one bool', 'a[b]', (a, b) => a.index(b), [
    [real(2, 3), given([], [1], 'bool')],
    [real(3), given([], [0], 'bool')],
  ]),
  operation('index with an ellipsis', 'a[..., 0]', (a) => a.index('...', 0), of([2, 3], [2, 3, 2], [3])),
  operation(
    'index with an ellipsis in the middle',
    'a[1, ..., 1:]',
    (a) => a.index(1, '...', [1, null]),
    of([2, 3], [2, 3, 2], [2, 2, 2, 3]),
  ),
  operation('index with an ellipsis for nothing', 'a[0, ..., 1]', (a) => a.index(0, '...', 1), of([2, 3]), {
    sized: (n) => [real(n, 3)],
  }),
  operation(
    'index with new axes',
    'a[None, :, None]',
    (a) => a.index('newaxis', null, 'newaxis'),
    of([3], [2, 3]),
  ),
  operation(
    'index with an ellipsis and a new axis',
    'a[..., None, 1]',
    (a) => a.index('...', 'newaxis', 1),
    of([3], [2, 3]),
    { sized: (n) => [real(n, 2)] },
  ),
  operation(
    'index with ids and a new axis',
    'a[b, None]',
    (a, b) => a.index(b, 'newaxis'),
    [[real(3, 2), three(4)]],
    {
      sized: (n) => [real(3, n), three(n)],
    },
  ),
  operation(
    'index with ids around a new axis',
    'a[b, None, c]',
    (a, b, c) => a.index(b, 'newaxis', c),
    [[real(3, 4), three(4), three(4)]],
    {
      sized: (n) => [real(3, n + 2), three(n), three(n)],
    },
  ),

  operation(
    'multinomial',
    'seeded(lambda: torch.multinomial(a, 3))',
    seeded((a) => a.multinomial(3)),
    [[positive(6)], [positive(4, 5)]],
    { gradient: false, sized: (n) => [positive(n + 3)] },
  ),
  operation(
    'multinomial of one',
    'seeded(lambda: torch.multinomial(a, 1))',
    seeded((a) => multinomial(a, 1)),
    [[positive(6)], [given([3], [1, 0, 0])], [positive(3, 4)]],
    { gradient: false },
  ),
  operation(
    'multinomial with replacement',
    'seeded(lambda: torch.multinomial(a, 8, True))',
    seeded((a) => a.multinomial(8, true)),
    [[positive(5)], [positive(2, 3)]],
    { gradient: false },
  ),
];
