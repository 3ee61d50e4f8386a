import { cat, stack } from '../../../lib/index.ts';
import { flags, given, type Input, real, whole } from '../inputs.ts';
import { type Operation, operation, single } from '../operation.ts';

const few = whole(-5, 6);
const of = (...shapes: number[][]): Input[][] => shapes.map((shape) => [real(...shape)]);
const cube = of([2, 3, 4]);
const lists = (...shapes: number[][][]): Input[][] =>
  shapes.map((list) => list.map((shape) => real(...shape)));
const fixed = { sized: () => cube[0] };
const rows = { sized: (n: number) => [real(n, 5)] };

/** Every element gets another weight, so that a gradient in the wrong place shows. */
export const shapes: readonly Operation[] = [
  operation('contiguous', 'a.contiguous()', (a) => a.contiguous(), single()),
  operation('contiguous of a transpose', 'a.T.contiguous()', (a) => a.T.contiguous(), of([2, 3], [0, 2])),
  operation('reshape', 'a.reshape(6, -1)', (a) => a.reshape(6, -1), of([2, 3, 4], [6], [12, 1]), fixed),
  operation('reshape to one array', 'a.reshape(4, 3, 2)', (a) => a.reshape([4, 3, 2]), cube, fixed),
  operation(
    'reshape of a transpose',
    'a.transpose(0, 1).reshape(-1)',
    (a) => a.transpose(0, 1).reshape(-1),
    cube,
  ),
  operation('reshape of one element', 'a.reshape(())', (a) => a.reshape([]), of([1], [1, 1], []), {
    sized: () => [real(1)],
  }),
  operation('reshape of nothing', 'a.reshape(3, 0, 2)', (a) => a.reshape(3, 0, 2), of([0], [2, 0]), {
    sized: () => [real(0)],
  }),
  operation('view', 'a.view(2, 12)', (a) => a.view(2, 12), cube, { anyLayout: false, ...fixed }),
  operation('permute', 'a.permute(2, 0, 1)', (a) => a.permute(2, 0, 1), cube),
  operation('permute with negative axes', 'a.permute(0, -1, 1)', (a) => a.permute([0, -1, 1]), cube),
  operation('transpose', 'a.transpose(1, -1)', (a) => a.transpose(1, -1), of([2, 3, 4], [2, 3])),
  operation('t', 'a.t()', (a) => a.t(), of([2, 3], [4], [])),
  operation('T', 'a.T', (a) => a.T, of([2, 3], [4, 1])),
  operation('expand', 'a.expand(2, 3, 4)', (a) => a.expand(2, 3, 4), of([3, 1], [1, 3, 4], [1], []), {
    sized: () => [real(3, 1)],
  }),
  operation('expand with -1', 'a.expand(5, -1, 2)', (a) => a.expand([5, -1, 2]), of([3, 1]), {
    sized: (n) => [real(n, 1)],
  }),
  operation('slice', 'a[:, 1:3]', (a) => a.slice(1, 1, 3), of([2, 4], [2, 3, 2], [2, 2])),
  operation('slice with a step', 'a[1:9:3]', (a) => a.slice(0, 1, 9, 3), of([10], [4, 2], [1, 2])),
  operation('slice from the end', 'a[..., -3:-1]', (a) => a.slice(-1, -3, -1), of([5], [2, 4], [2, 2])),
  operation('slice to nothing', 'a[2:1]', (a) => a.slice(0, 2, 1), of([4, 2])),
  operation('narrow', 'a.narrow(1, 1, 2)', (a) => a.narrow(1, 1, 2), of([2, 3], [2, 4, 2]), {
    sized: (n) => [real(n, 3)],
  }),
  operation('select', 'a.select(1, -2)', (a) => a.select(1, -2), of([2, 3], [2, 3, 4]), {
    sized: (n) => [real(n, 3)],
  }),
  operation('select of int', 'a.select(0, 1)', (a) => a.select(0, 1), [[few(3, 2)]], { gradient: false }),
  operation('unsqueeze', 'a.unsqueeze(-2)', (a) => a.unsqueeze(-2), of([2, 3], [3])),
  operation('unsqueeze in front', 'a.unsqueeze(0)', (a) => a.unsqueeze(0), single()),
  operation('squeeze', 'a.squeeze()', (a) => a.squeeze(), of([1, 3, 1], [2, 3], [1, 1], [0, 1])),
  operation('squeeze an axis', 'a.squeeze(0)', (a) => a.squeeze(0), of([1, 3, 1], [2, 3])),
  operation('flatten', 'a.flatten()', (a) => a.flatten(), single()),
  operation('flatten some axes', 'a.flatten(1)', (a) => a.flatten(1), of([2, 3, 4], [2, 0, 3], [2, 2, 1, 3])),
  operation('flatten inner axes', 'a.flatten(1, 2)', (a) => a.flatten(1, 2), of([2, 3, 4, 2]), {
    sized: (n) => [real(2, 3, n, 2)],
  }),
  operation(
    'split',
    'torch.cat(a.split(2, 1)[::-1], 1)',
    (a) => cat(a.split(2, 1).toReversed(), 1),
    of([3, 5], [2, 4]),
  ),
  operation(
    'split into given sizes',
    'a.split([1, 0, 4], 1)[2]',
    (a) => a.split([1, 0, 4], 1)[2],
    of([3, 5], [1, 5, 2]),
    rows,
  ),
  operation(
    'chunk',
    'torch.cat(a.chunk(2, 1)[::-1], 1)',
    (a) => cat(a.chunk(2, 1).toReversed(), 1),
    of([3, 5], [2, 4]),
  ),
  operation(
    'chunk into fewer parts than asked for',
    'torch.stack([x.sum() for x in a.chunk(4)])',
    (a) => stack(a.chunk(4).map((x) => x.sum())),
    of([5], [9, 2], [3], [0, 2]),
  ),
  operation(
    'unbind',
    'torch.cat(a.unbind(1)[::-1])',
    (a) => cat(a.unbind(1).toReversed()),
    of([2, 3, 4], [3, 2, 1]),
    {
      sized: (n) => [real(n, 3, 2)],
    },
  ),
  operation('unbind the first axis', 'a.unbind()[1]', (a) => a.unbind()[1], of([2, 3], [3])),
  operation('diagonal', 'a.diagonal()', (a) => a.diagonal(), of([3, 3], [2, 4], [4, 2], [3, 3, 2], [0, 2])),
  operation(
    'diagonal of other axes',
    'a.diagonal(0, -1, 0)',
    (a) => a.diagonal(-1, 0),
    of([3, 2, 3], [2, 3, 4]),
  ),
  operation('repeat', 'a.repeat(2, 3)', (a) => a.repeat(2, 3), of([2, 3], [1, 1], [4], [], [0, 2])),
  operation('repeat with new axes', 'a.repeat(2, 1, 3)', (a) => a.repeat([2, 1, 3]), of([2, 3], [2])),
  operation('repeat nothing', 'a.repeat(0, 2)', (a) => a.repeat(0, 2), of([2, 3])),
  operation('repeat of bool', 'a.repeat(2)', (a) => a.repeat(2), [[flags(3)]], { gradient: false }),
  operation(
    'repeatInterleave',
    'a.repeat_interleave(2, 1)',
    (a) => a.repeatInterleave(2, 1),
    of([2, 3], [2, 3, 4], [2, 0]),
    {
      sized: (n) => [real(3, n)],
    },
  ),
  operation(
    'repeatInterleave along the last axis',
    'a.repeat_interleave(3, -1)',
    (a) => a.repeatInterleave(3, -1),
    of([2, 3], [2]),
  ),
  operation('repeatInterleave of all', 'a.repeat_interleave(2)', (a) => a.repeatInterleave(2), single()),
  operation(
    'repeatInterleave, each its own number',
    'a.repeat_interleave(b, 0)',
    (a, b) => a.repeatInterleave(b, 0),
    [
      [real(3, 2), given([3], [2, 0, 3], 'int32')],
      [real(4), given([1], [2], 'int32')],
    ],
    { sized: (n) => [real(3, n), given([3], [2, 0, 3], 'int32')] },
  ),
  operation(
    'repeatInterleave of int',
    'a.repeat_interleave(torch.tensor([1, 2]), 0)',
    (a) => a.repeatInterleave([1, 2], 0),
    [[few(2, 3)]],
    { gradient: false },
  ),
  operation(
    'cat',
    'torch.cat([a, b])',
    (a, b) => cat([a, b]),
    lists(
      [
        [2, 3],
        [1, 3],
      ],
      [[2], [3]],
      [
        [0, 2],
        [2, 2],
      ],
    ),
    {
      sized: (n) => [real(n, 3), real(2, 3)],
    },
  ),
  operation(
    'cat along the last axis',
    'torch.cat([a, b, c], -1)',
    (a, b, c) => cat([a, b, c], -1),
    lists([
      [2, 3],
      [2, 1],
      [2, 4],
    ]),
    {
      sized: (n) => [real(2, n), real(2, 1), real(2, n)],
    },
  ),
  operation('cat of one tensor twice', 'torch.cat([a, a], 1)', (a) => cat([a, a], 1), of([2, 3])),
  operation(
    'cat of int and bool',
    'torch.cat([a, b])',
    (a, b) => cat([a, b]),
    [
      [flags(2), few(3)],
      [few(2), flags(1)],
    ],
    {
      gradient: false,
    },
  ),
  operation(
    'stack',
    'torch.stack([a, b], 1)',
    (a, b) => stack([a, b], 1),
    lists(
      [
        [2, 3],
        [2, 3],
      ],
      [[2], [2]],
    ),
  ),
  operation(
    'stack along a new last axis',
    'torch.stack([a, b], -1)',
    (a, b) => stack([a, b], -1),
    lists(
      [
        [2, 3],
        [2, 3],
      ],
      [[], []],
    ),
    {
      sized: (n) => [real(n), real(n)],
    },
  ),
];
