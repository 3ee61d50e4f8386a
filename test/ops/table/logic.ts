import { allclose, equal, type Tensor, tensor } from '../../../lib/index.ts';
import { flags, given, type Input, nonzero, real, whole } from '../inputs.ts';
import { type Operation, operation, pairs, single, sizedPair } from '../operation.ts';

const few = whole(-1, 2);
const odd = [[given([7], [Number.NaN, Infinity, -Infinity, 1, 0, -2, Number.NaN])]];
const answer = (yes: boolean): Tensor => tensor(yes);
const none = { gradient: false };
const question = (
  name: string,
  torch: string,
  apply: (...inputs: Tensor[]) => Tensor,
  cases: Input[][],
): Operation => operation(name, torch, apply, cases, none);

/** Questions, which have no gradient. */
export const logic: readonly Operation[] = [
  ...(['isnan', 'isinf', 'isfinite'] as const).flatMap((name) => [
    question(name, `a.${name}()`, (a) => a[name](), [...single(), ...odd]),
    question(`${name} of int`, `a.${name}()`, (a) => a[name](), single(few)),
    question(`${name} of bool`, `a.${name}()`, (a) => a[name](), single(flags)),
  ]),
  question('logicalNot', 'a.logical_not()', (a) => a.logicalNot(), [...single(few), ...odd]),
  question('logicalNot of bool', 'a.logical_not()', (a) => a.logicalNot(), single(flags)),
  ...(['And', 'Or', 'Xor'] as const).flatMap((name) => {
    const torch = `a.logical_${name.toLowerCase()}(b)`;
    return [
      operation(`logical${name}`, torch, (a, b) => a[`logical${name}`](b), pairs(flags), {
        ...none,
        sized: sizedPair(flags),
      }),
      question(
        `logical${name} of int and float`,
        torch,
        (a, b) => a[`logical${name}`](b),
        pairs(few, nonzero),
      ),
    ];
  }),
  question('nonzero', 'a.nonzero()', (a) => a.nonzero(), [
    ...single(few),
    ...single(real).slice(0, 2),
    ...odd,
  ]),
  question('nonzero of bool', 'a.nonzero()', (a) => a.nonzero(), single(flags)),

  question('equal', 'torch.tensor(torch.equal(a, b))', (a, b) => answer(a.equal(b)), [
    [real(2, 3), real(2, 3)],
    [given([2], [1, 2]), given([2], [1, 2])],
    [given([2], [1, 2]), given([1, 2], [1, 2])],
    [given([2], [Number.NaN, 2]), given([2], [Number.NaN, 2])],
    [given([0], []), given([0], [])],
  ]),
  question('equal to itself', 'torch.tensor(torch.equal(a, a))', (a) => answer(equal(a, a)), [
    ...single(),
    ...odd,
  ]),
  question('allclose', 'torch.tensor(torch.allclose(a, b))', (a, b) => answer(a.allclose(b)), [
    [real(2, 3), real(2, 3)],
    [given([2], [1, 2]), given([2], [1.000005, 2])],
    [given([2], [1, 2]), given([2], [1.00002, 2])],
    [given([2], [Infinity, -Infinity]), given([2], [Infinity, -Infinity])],
    [given([2], [Infinity, 1]), given([2], [-Infinity, 1])],
    [given([1], [Infinity]), given([1], [1])],
    [given([1], [1]), given([1], [Infinity])],
    [given([1], [Number.NaN]), given([1], [Number.NaN])],
    [given([2], [1, 1]), given([], [1])],
    [few(3), few(3)],
    [given([2], [3, 3], 'int32'), given([2], [3, 3], 'int32')],
  ]),
  question(
    'allclose with bounds',
    'torch.tensor(torch.allclose(a, b, rtol=0.25, atol=0.5, equal_nan=True))',
    (a, b) => answer(allclose(a, b, { rtol: 0.25, atol: 0.5, equalNan: true })),
    [
      [given([2], [1, Number.NaN]), given([2], [2, Number.NaN])],
      [given([2], [1, 4]), given([2], [2, 6])],
      [given([2], [1, 4]), given([2], [2, 6.5])],
      [given([2], [1, 4]), given([2], [2.1, 4])],
    ],
  ),
];
