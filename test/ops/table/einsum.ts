import { einsum, outer } from '../../../lib/index.ts';
import { type Input, real, whole } from '../inputs.ts';
import { type Operation, operation } from '../operation.ts';

/** One einsum, written alike here and in PyTorch. */
function sum(equation: string, shapes: number[][][], sized?: (n: number) => Input[]): Operation {
  const cases = shapes.map((list) => list.map((shape) => real(...shape)));
  const operands = 'abc'.slice(0, shapes[0].length).split('').join(', ');
  return operation(
    `einsum ${equation}`,
    `torch.einsum('${equation}', ${operands})`,
    (...inputs) => einsum(equation, ...inputs),
    cases,
    { sized: sized ?? (() => cases[0]) },
  );
}

export const summations: readonly Operation[] = [
  sum('ij->ji', [[[2, 3]]], (n) => [real(n, 3)]),
  sum('ij->', [[[2, 3]], [[0, 3]]], (n) => [real(n, 3)]),
  sum('ij->j', [[[2, 3]], [[0, 3]]], (n) => [real(n, 3)]),
  sum('ba', [[[2, 3]]]),
  sum('ii', [[[3, 3]], [[1, 1]]], (n) => [real(n, n)]),
  sum('ii->i', [[[3, 3]]], (n) => [real(n, n)]),
  sum('iji->j', [[[2, 3, 2]]]),
  sum('iii->i', [[[2, 2, 2]]]),
  sum('i,i', [[[3], [3]]], (n) => [real(n), real(n)]),
  sum(
    'i,i->i',
    [
      [[3], [3]],
      [[1], [3]],
    ],
    (n) => [real(n), real(n)],
  ),
  sum('i,j', [[[3], [2]]], (n) => [real(n), real(5)]),
  sum(
    'ij,jk',
    [
      [
        [2, 3],
        [3, 4],
      ],
      [
        [2, 0],
        [0, 3],
      ],
      [
        [2, 1],
        [3, 4],
      ],
    ],
    (n) => [real(5, n), real(n, 7)],
  ),
  sum(
    'ij,jk->ki',
    [
      [
        [2, 3],
        [3, 4],
      ],
    ],
    (n) => [real(5, n), real(n, 7)],
  ),
  sum(
    'ij,kj->ik',
    [
      [
        [2, 3],
        [4, 3],
      ],
    ],
    (n) => [real(n, 9), real(n, 9)],
  ),
  sum(
    'bij,bjk->bik',
    [
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      [
        [1, 3, 4],
        [2, 4, 2],
      ],
    ],
    (n) => [real(2, n, 9), real(2, 9, n)],
  ),
  sum(
    'bthd,bshd->bhts',
    [
      [
        [2, 3, 2, 4],
        [2, 5, 2, 4],
      ],
    ],
    (n) => [real(1, n, 2, 4), real(1, n, 2, 4)],
  ),
  sum('bhts,bshd->bthd', [
    [
      [2, 2, 3, 5],
      [2, 5, 2, 4],
    ],
  ]),
  sum('ij,j->i', [[[2, 3], [3]]], (n) => [real(5, n), real(n)]),
  sum('ij,kl->', [
    [
      [2, 3],
      [2, 2],
    ],
  ]),
  sum('ij,k->k', [[[2, 3], [4]]]),
  sum('i,ij,j', [[[2], [2, 3], [3]]], (n) => [real(n), real(n, 3), real(3)]),
  sum(
    'ij,jk,kl->il',
    [
      [
        [2, 3],
        [3, 2],
        [2, 4],
      ],
    ],
    (n) => [real(5, n), real(n, n), real(n, 3)],
  ),
  sum('bi,bj,bk->bijk', [
    [
      [2, 3],
      [2, 2],
      [2, 4],
    ],
  ]),
  sum('ab,ab,ab->', [
    [
      [2, 3],
      [1, 3],
      [2, 1],
    ],
  ]),
  sum('...ij->...ji', [[[2, 3]], [[2, 2, 3, 4]]]),
  sum('...ij,...jk->...ik', [
    [
      [2, 3],
      [3, 2],
    ],
    [
      [2, 1, 2, 3],
      [3, 3, 2],
    ],
    [
      [4, 2, 3],
      [3, 2],
    ],
  ]),
  sum('...ij,jk', [
    [
      [4, 2, 3],
      [3, 2],
    ],
  ]),
  sum('i...,i...->...', [
    [
      [3, 2],
      [3, 2],
    ],
    [
      [3, 2, 1],
      [3, 4],
    ],
  ]),
  sum('...,...', [[[2, 3], [3]]]),
  sum('i...->i', [[[2, 3, 2]]]),
  sum(' i j , j k -> i k ', [
    [
      [2, 3],
      [3, 4],
    ],
  ]),
  sum('Ab,bC', [
    [
      [2, 3],
      [3, 4],
    ],
  ]),
  operation(
    'einsum of int',
    "torch.einsum('ij,jk->ik', a, b)",
    (a, b) => einsum('ij,jk->ik', a, b),
    [[whole(-5, 6)(2, 3), whole(-5, 6)(3, 2)]],
    {
      gradient: false,
      sized: (n) => [whole(-5, 6)(2, n), whole(-5, 6)(n, 3)],
    },
  ),
  operation(
    'einsum of a list',
    "torch.einsum('ij,jk', [a, b])",
    (a, b) => einsum('ij,jk', [a, b]),
    [[real(2, 3), real(3, 2)]],
    {
      sized: (n) => [real(2, n), real(n, 3)],
    },
  ),
  operation(
    'outer',
    'torch.outer(a, b)',
    (a, b) => a.outer(b),
    [
      [real(3), real(4)],
      [real(1), real(2)],
      [real(0), real(3)],
    ],
    {
      sized: (n) => [real(n), real(7)],
    },
  ),
  operation('outer of int and float', 'torch.outer(a, b)', (a, b) => outer(a, b), [
    [whole(-5, 6)(3), real(4)],
  ]),
];
