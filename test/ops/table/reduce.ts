import { distinct, flags, given, type Input, positive, real, whole } from '../inputs.ts';
import { type Operation, operation, single } from '../operation.ts';

const three = [[real(2, 3, 4)], [real(1, 3, 1)]];
const along = (...shapes: number[][]): Input[][] => shapes.map((shape) => [distinct(...shape)]);
const someAxis = along([2, 3], [3, 4, 2], [1, 5], [2, 1]);
const logical = [
  [flags(2, 3)],
  [whole(-1, 2)(3, 3)],
  [flags(2, 0)],
  [given([2, 2, 2], [1, 1, 0, 1, 1, 1, 1, 0], 'bool')],
];
const tiedSizes = [[given([3, 4], [1, -3, 3, 2, 0, 0, 0, 0, -2, 0, 2, 1])]];
const tied = [[given([2, 4], [1, 3, 3, 2, 0, 0, -1, 0])]];

export const reductions: readonly Operation[] = [
  operation('sum', 'a.sum()', (a) => a.sum(), single()),
  operation('sum of int', 'a.sum()', (a) => a.sum(), single(whole(-9, 9)), { gradient: false }),
  operation('sum of bool', 'a.sum()', (a) => a.sum(), single(flags), { gradient: false }),
  operation(
    'sum over the last axis',
    'a.sum(-1)',
    (a) => a.sum(-1),
    single().filter(([a]) => a.shape.length > 0),
  ),
  operation('sum over the first axis', 'a.sum(0)', (a) => a.sum(0), [[real(2, 3)], [real(0, 3)], [real(3)]]),
  operation('sum over the middle axis', 'a.sum(1)', (a) => a.sum(1), three),
  operation('sum over two axes', 'a.sum((0, 2))', (a) => a.sum([0, 2]), three),
  operation('sum with keepdim', 'a.sum((0, 1), keepdim=True)', (a) => a.sum([0, 1], true), three),
  operation('sum over an empty axis', 'a.sum(1)', (a) => a.sum(1), [[real(2, 0)]], {
    sized: (n) => [real(n, 0)],
  }),
  operation('mean', 'a.mean()', (a) => a.mean(), single()),
  operation('mean over the last axis', 'a.mean(-1, keepdim=True)', (a) => a.mean(-1, true), three),
  operation('mean over the first axis', 'a.mean(0)', (a) => a.mean(0), three),
  operation('mean over two axes', 'a.mean((1, 2))', (a) => a.mean([1, 2]), three),
  operation('var', 'a.var()', (a) => a.var(), [[real(2, 3)], [real(5)]]),
  operation('var over the last axis', 'a.var(-1)', (a) => a.var(-1), [[real(2, 3, 4)]]),
  operation(
    'var, biased',
    'a.var(-1, unbiased=False, keepdim=True)',
    (a) => a.var(-1, { unbiased: false, keepdim: true }),
    three,
  ),
  operation('std', 'a.std(0)', (a) => a.std(0), [[real(4, 3)]]),
  operation('std, biased', 'a.std((0, 1), unbiased=False)', (a) => a.std([0, 1], { unbiased: false }), [
    [real(4, 3)],
  ]),

  operation('max', 'a.max()', (a) => a.max(), [[distinct(2, 3)], [distinct(1)], [distinct()]]),
  operation('min', 'a.min()', (a) => a.min(), [[distinct(2, 3)], [distinct(1)], [distinct()]]),
  operation('max along an axis: values', 'a.max(1)[0]', (a) => a.max(1).values, someAxis),
  operation('max along an axis: indices', 'a.max(1)[1]', (a) => a.max(1).indices, someAxis, {
    gradient: false,
  }),
  operation('min along an axis: values', 'a.min(0, True)[0]', (a) => a.min(0, true).values, someAxis),
  operation('min along an axis: indices', 'a.min(0, True)[1]', (a) => a.min(0, true).indices, someAxis, {
    gradient: false,
  }),
  operation('max of int', 'a.max()', (a) => a.max(), single(whole(-9, 9)).slice(0, 6), { gradient: false }),
  operation('amax', 'a.amax((0, 1))', (a) => a.amax([0, 1]), along([2, 3], [2, 3, 2])),
  operation('amin', 'a.amin(-1, keepdim=True)', (a) => a.amin(-1, true), someAxis),
  operation('amax of equal ones', 'a.amax(1)', (a) => a.amax(1), tied, {
    smooth: false,
  }),
  operation('amin of equal ones', 'a.amin(1)', (a) => a.amin(1), tied, {
    smooth: false,
  }),
  operation('argmax', 'a.argmax(-1)', (a) => a.argmax(-1), someAxis, { gradient: false }),
  operation('argmax with keepdim', 'a.argmax(0, True)', (a) => a.argmax(0, true), someAxis, {
    gradient: false,
  }),
  operation('argmax of all', 'a.argmax()', (a) => a.argmax(), someAxis, { gradient: false }),
  operation('argmax of equal ones', 'a.argmax(1)', (a) => a.argmax(1), tied, {
    gradient: false,
  }),
  operation('argmin', 'a.argmin(1)', (a) => a.argmin(1), someAxis, { gradient: false }),
  operation('argmin of all', 'a.argmin()', (a) => a.argmin(), someAxis, { gradient: false }),
  operation('any', 'a.any()', (a) => a.any(), [[flags(2, 3)], [given([2], [0, 0], 'bool')], [flags(0)]], {
    gradient: false,
    sized: (n) => [flags(n)],
  }),
  operation('all', 'a.all()', (a) => a.all(), [[flags(2, 3)], [given([2], [1, 1], 'bool')], [flags(0)]], {
    gradient: false,
    sized: (n) => [flags(n)],
  }),
  operation('any along an axis', 'a.any(1)', (a) => a.any(1), logical, { gradient: false }),
  operation('any with keepdim', 'a.any(0, True)', (a) => a.any(0, true), logical, { gradient: false }),
  operation('any over two axes', 'a.any((0, 1))', (a) => a.any([0, 1]), logical, { gradient: false }),
  operation('all along an axis', 'a.all(1)', (a) => a.all(1), logical, { gradient: false }),
  operation('all with keepdim', 'a.all(-1, True)', (a) => a.all(-1, true), logical, { gradient: false }),
  operation(
    'all of floats',
    'a.all()',
    (a) => a.all(),
    [[real(2, 3)], [given([2], [Number.NaN, 1])], [given([2], [0, 1])]],
    {
      gradient: false,
    },
  ),

  operation(
    'norm',
    'a.norm()',
    (a) => a.norm(),
    [[real(2, 3)], [real(5)], [real()], [given([3], [0, 0, 0])]],
    { smooth: false },
  ),
  operation('norm over the last axis', 'a.norm(2, -1)', (a) => a.norm(2, -1), three),
  operation('norm with keepdim', 'a.norm(2, (0, 2), True)', (a) => a.norm(2, [0, 2], true), three),
  operation('norm of a zero row', 'a.norm(2, 1)', (a) => a.norm(2, 1), [[given([2, 2], [0, 0, 3, 4])]], {
    smooth: false,
  }),
  ...[0, 0.5, 1, 1.5, 3, Infinity, -Infinity].flatMap((p) => {
    const python = Number.isFinite(p) ? p : `${p > 0 ? '' : '-'}float('inf')`;
    return [
      operation(`norm, p = ${p}`, `a.norm(${python}, 1)`, (a) => a.norm(p, 1), along([2, 3], [3, 4, 2]), {
        smooth: p !== 0,
        tolerance: 2e-5,
      }),
      operation(
        `norm, p = ${p}, with zeros and ties`,
        `a.norm(${python}, 1)`,
        (a) => a.norm(p, 1),
        tiedSizes,
        { smooth: false },
      ),
    ];
  }),

  operation('cumsum', 'a.cumsum(0)', (a) => a.cumsum(0), [...single().slice(0, 3), [real()], [real(0, 3)]]),
  operation('cumsum along the last axis', 'a.cumsum(-1)', (a) => a.cumsum(-1), single()),
  operation('cumsum along the middle axis', 'a.cumsum(1)', (a) => a.cumsum(1), [
    [real(2, 3, 4)],
    [real(2, 1, 3)],
  ]),
  operation('cumsum of int', 'a.cumsum(-1)', (a) => a.cumsum(-1), single(whole(-9, 9)), { gradient: false }),
  operation('cumsum of bool', 'a.cumsum(0)', (a) => a.cumsum(0), [[flags(5)], [flags(3, 2)]], {
    gradient: false,
  }),
  operation(
    'a sum that meets an overflow',
    'a.mul(1e38).sum(0)',
    (a) => a.mul(1e38).sum(0),
    [[positive(6, 2)]],
    {
      gradient: false,
    },
  ),
];
