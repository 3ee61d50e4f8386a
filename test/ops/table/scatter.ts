import { bincount, F, tensor } from '../../../lib/index.ts';
import { flags, given, type Input, real, whole } from '../inputs.ts';
import { type Operation, operation } from '../operation.ts';

const ids = (shape: number[], ...list: number[]) => given(shape, list, 'int32');
const three = whole(0, 3);
const none = { gradient: false };
/** The index fits one size. */
const one = (...inputs: Input[]) => ({ sized: () => inputs });

/** Numbers put and added where an index says; PyTorch leaves it open which stays where two are put in one place. */
export const scattering: readonly Operation[] = [
  operation(
    'scatter',
    'a.scatter(1, b, c)',
    (a, b, c) => a.scatter(1, b, c),
    [
      [real(2, 3), ids([2, 2], 2, 0, 1, 2), real(2, 2)],
      [real(2, 3, 2), ids([2, 1, 2], 2, 0, 1, 1), real(2, 1, 2)],
      [real(2, 3), ids([0, 2]), real(0, 2)],
    ],
    { sized: (n) => [real(n, 3), ids([1, 2], 2, 0), real(n, n + 1)] },
  ),
  // PyTorch has no gradient for these.
  operation(
    'scatter of a larger source',
    'a.scatter(1, b, c)',
    (a, b, c) => a.scatter(1, b, c),
    [[real(2, 3), ids([1, 2], 2, 0), real(2, 4)]],
    { ...none, ...one(real(2, 3), ids([1, 2], 2, 0), real(2, 4)) },
  ),
  operation(
    'scatterAdd of a larger source',
    'a.scatter_add(1, b, c)',
    (a, b, c) => a.scatterAdd(1, b, c),
    [[real(3, 3), three(2, 2), real(3, 4)]],
    { ...none, ...one(real(3, 3), three(2, 2), real(3, 4)) },
  ),
  operation(
    'scatter along the first axis',
    'a.scatter(0, b, c)',
    (a, b, c) => a.scatter(0, b, c),
    [
      [real(3, 2), ids([2, 2], 2, 0, 1, 2), real(2, 2)],
      [real(3), ids([2], 2, 0), real(2)],
      [real(), ids([], 0), real()],
    ],
    { sized: (n) => [real(3, n + 1), ids([2, 2], 2, 0, 1, 2), real(2, n + 1)] },
  ),
  operation(
    'scatter a number',
    'a.scatter(-1, b, 0.5)',
    (a, b) => a.scatter(-1, b, 0.5),
    [[real(2, 3), ids([2, 2], 2, 0, 1, 1)]],
    { sized: (n) => [real(n + 1, 3), ids([2, 2], 2, 0, 1, 1)] },
  ),
  operation(
    'scatter of int',
    'a.scatter(1, b, 7)',
    (a, b) => a.scatter(1, b, 7),
    [[three(2, 3), ids([2, 1], 2, 1)]],
    { ...none, ...one(three(2, 3), ids([2, 1], 2, 1)) },
  ),
  operation(
    'scatter of bool',
    'a.scatter(0, b, c)',
    (a, b, c) => a.scatter(0, b, c),
    [[flags(4), ids([2], 2, 1), flags(2)]],
    { ...none, ...one(flags(4), ids([2], 2, 1), flags(2)) },
  ),
  operation(
    'scatterAdd',
    'a.scatter_add(1, b, c)',
    (a, b, c) => a.scatterAdd(1, b, c),
    [
      [real(2, 3), three(2, 4), real(2, 4)],
      [real(2, 3, 2), three(2, 4, 1), real(2, 4, 1)],
    ],
    { sized: (n) => [real(n, 3), three(n, n), real(n, n)] },
  ),
  operation('scatterAdd along the first axis', 'a.scatter_add(0, b, c)', (a, b, c) => a.scatterAdd(0, b, c), [
    [real(3, 2), three(4, 2), real(4, 2)],
    [real(3), three(5), real(5)],
    [real(), ids([], 0), real()],
  ]),
  operation(
    'scatterAdd of int',
    'a.scatter_add(0, b, c)',
    (a, b, c) => a.scatterAdd(0, b, c),
    [[three(3), three(6), three(6)]],
    none,
  ),
  operation(
    'indexAdd',
    'a.index_add(0, b, c)',
    (a, b, c) => a.indexAdd(0, b, c),
    [
      [real(3, 2), three(4), real(4, 2)],
      [real(3), three(2), real(2)],
      [real(3, 2, 2), three(0), real(0, 2, 2)],
    ],
    { sized: (n) => [real(3, n), three(n), real(n, n)] },
  ),
  operation(
    'indexAdd with a factor',
    'a.index_add(1, b, c, alpha=-1.5)',
    (a, b, c) => a.indexAdd(1, b, c, -1.5),
    [[real(2, 3), three(4), real(2, 4)]],
    { sized: (n) => [real(n, 3), three(n), real(n, n)] },
  ),

  operation(
    'bincount',
    'a.bincount()',
    (a) => a.bincount(),
    [[whole(0, 6)(9)], [whole(0, 1)(3)], [whole(0, 3)(0)]],
    none,
  ),
  operation(
    'bincount with weights',
    'a.bincount(b, 5)',
    (a, b) => bincount(a, b, 5),
    [
      [three(4), real(4)],
      [whole(0, 9)(5), real(5)],
    ],
    none,
  ),
  operation('F.oneHot', 'F.one_hot(a)', (a) => F.oneHot(a), [[three(4)], [three(2, 3)], [three()]], none),
  operation(
    'F.oneHot of given classes',
    'F.one_hot(a, 5)',
    (a) => F.oneHot(a, 5),
    [[three(4)], [three(2, 0)]],
    none,
  ),

  operation(
    'indexPutInPlace',
    'put(a, (slice(None), -1), b)',
    (a, b) => a.clone().indexPutInPlace([null, -1], b),
    [
      [real(2, 3), real(2)],
      [real(2, 3, 4), real(4)],
      [real(2, 3, 4), real()],
    ],
    { ...none, sized: (n) => [real(n, 2), real(n)] },
  ),
  operation(
    'indexPutInPlace of ranges',
    'put(a, (..., slice(1, None, 2)), b)',
    (a, b) => a.clone().indexPutInPlace(['...', [1, null, 2]], b),
    [
      [real(2, 3), real(1)],
      [real(2, 4), real(1, 1, 2)],
    ],
    { ...none, sized: (n) => [real(n, 3), real(n, 1)] },
  ),
  operation(
    'indexPutInPlace of ids',
    'put(a, (slice(None), b), c)',
    (a, b, c) => a.clone().indexPutInPlace([null, b], c),
    [
      [real(2, 4, 2), ids([3], 3, -4, 1), real(2, 3, 2)],
      [real(2, 4), ids([2, 2], 0, 1, 2, 3), real(2, 2)],
      [three(2, 3), ids([2], 0, 2), three(2)],
    ],
    { ...none, sized: (n) => [real(2, 4, n), ids([3], 3, -4, 1), real(2, 3, n)] },
  ),
  operation(
    'indexPutInPlace of pairs of ids',
    'put(a, (b, slice(None), c), -1.5)',
    (a, b, c) => a.clone().indexPutInPlace([b, null, c], -1.5),
    [
      [real(3, 2, 4), ids([2], 0, 2), ids([2], 3, -1)],
      [real(3, 2, 4), ids([2, 1], 0, 2), ids([2], 3, 0)],
    ],
    { ...none, sized: (n) => [real(3, n, 4), ids([2], 0, 2), ids([2], 3, -1)] },
  ),
  operation(
    'indexPutInPlace under a mask',
    'put(a, b, 9)',
    (a, b) => a.clone().indexPutInPlace([b], 9),
    [
      [real(2, 3), flags(2, 3)],
      [real(3, 2), flags(3)],
      [real(2), flags()],
    ],
    none,
  ),
  operation(
    'indexPutInPlace that adds',
    'a.clone().index_put_((b,), c, accumulate=True)',
    (a, b, c) => a.clone().indexPutInPlace([b], c, { accumulate: true }),
    [
      [real(3, 2), three(5), real(5, 2)],
      [real(3), three(5), real()],
    ],
    { ...none, sized: (n) => [real(3, n), three(n), real(n, n)] },
  ),
  operation(
    'indexPutInPlace into a transpose',
    'put(a.clone().mT, (b, slice(None), c), 3)',
    (a, b, c) => a.clone().transpose(-2, -1).indexPutInPlace([b, null, c], tensor(3)),
    [[real(3, 2, 4), ids([2], 0, 2), ids([2], 1, -1)]],
    { ...none, sized: (n) => [real(3, 2, n), ids([2], 0, 2), ids([2], 1, -1)] },
  ),
];
