import type { Tensor } from '../../../lib/index.ts';
import { F, where } from '../../../lib/index.ts';
import { flags, given, nonzero, positive, real, whole } from '../inputs.ts';
import { type Operation, operation, pairs, single, sizedPair } from '../operation.ts';

/** Two inputs that share elements, so that comparisons see <, = and >. */
const few = whole(-1, 2);
const counts = whole(1, 5);

function compare(name: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge', sign: string): Operation[] {
  const plain = { gradient: false, sized: sizedPair(few) };
  return [
    operation(name, `a ${sign} b`, (a, b) => a[name](b), pairs(few), plain),
    operation(`${name} a float`, `a ${sign} 0.5`, (a) => a[name](0.5), single(few), { gradient: false }),
    operation(`${name} of floats`, `a ${sign} b`, (a, b) => a[name](b), pairs(real), { gradient: false }),
  ];
}

const NOT_FINITE = given([6], [Number.NaN, Infinity, -Infinity, 1, 0, -2]);
const HALVES = given([8], [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 1e9]);
const ties = [given([5], [-1, 0, 0, 1, 2]), given([5], [-1, -1, 0, 1, -3])];

export const elementwise: readonly Operation[] = [
  operation('neg', '-a', (a) => a.neg(), single()),
  operation('neg of int', '-a', (a) => a.neg(), single(few), { gradient: false }),
  operation('abs', 'a.abs()', (a) => a.abs(), single(nonzero)),
  operation('abs at 0', 'a.abs()', (a) => a.abs(), [[given([3], [0, -1, 2])]], { smooth: false }),
  operation('abs of int', 'a.abs()', (a) => a.abs(), single(few), { gradient: false }),
  operation('exp', 'a.exp()', (a) => a.exp(), single()),
  operation('log', 'a.log()', (a) => a.log(), single(positive)),
  operation('sqrt', 'a.sqrt()', (a) => a.sqrt(), single(positive)),
  operation('rsqrt', 'a.rsqrt()', (a) => a.rsqrt(), single(positive)),
  operation('reciprocal', 'a.reciprocal()', (a) => a.reciprocal(), single(nonzero)),
  operation('square', 'a.square()', (a) => a.square(), single()),
  operation('tanh', 'a.tanh()', (a) => a.tanh(), single()),
  operation('sigmoid', 'a.sigmoid()', (a) => a.sigmoid(), single()),
  operation('relu', 'a.relu()', (a) => a.relu(), single(nonzero)),
  operation('relu at 0', 'a.relu()', (a) => a.relu(), [[given([3], [0, -1, 2])]], { smooth: false }),
  operation('F.relu', 'F.relu(a)', F.relu, single(nonzero)),
  operation('F.gelu', "F.gelu(a, approximate='tanh')", (a) => F.gelu(a, { approximate: 'tanh' }), single()),
  operation('F.gelu far out', "F.gelu(a, approximate='tanh')", (a) => F.gelu(a, { approximate: 'tanh' }), [
    [given([8], [-30, -6, -3.5, -0.75, 0, 0.75, 5, 30])],
  ]),
  operation('sin', 'a.sin()', (a) => a.sin(), single()),
  operation('cos', 'a.cos()', (a) => a.cos(), single()),
  operation('erf', 'a.erf()', (a) => a.erf(), single()),
  operation('erf far out', 'a.erf()', (a) => a.erf(), [[given([8], [-7, -5, -3.5, -1e-3, 0, 1e-6, 4, 30])]]),
  operation('log1p', 'a.log1p()', (a) => a.log1p(), single(positive)),
  operation('log1p near 0', 'a.log1p()', (a) => a.log1p(), [[given([4], [1e-8, -1e-8, 0, 1e-4])]], {
    smooth: false,
    tolerance: 1e-12,
  }),
  operation('expm1', 'a.expm1()', (a) => a.expm1(), single()),
  operation('expm1 near 0', 'a.expm1()', (a) => a.expm1(), [[given([4], [1e-8, -1e-8, 0, 1e-4])]], {
    smooth: false,
    tolerance: 1e-12,
  }),
  ...(['floor', 'ceil', 'round', 'trunc', 'sign'] as const).flatMap((name) => [
    operation(name, `a.${name}()`, (a) => a[name](), [...single(), [HALVES]], { smooth: false }),
    operation(`${name} of int`, `a.${name}()`, (a) => a[name](), single(few), { gradient: false }),
  ]),
  operation('F.silu', 'F.silu(a)', (a) => F.silu(a), single()),
  operation('F.silu far out', 'F.silu(a)', (a) => F.silu(a), [[given([6], [-200, -90, -20, 20, 90, 200])]]),
  operation('F.logSigmoid', 'F.logsigmoid(a)', (a) => F.logSigmoid(a), single()),
  operation('F.logSigmoid far out', 'F.logsigmoid(a)', (a) => F.logSigmoid(a), [
    [given([6], [-200, -90, -20, 20, 90, 200])],
  ]),
  operation('F.gelu, exact', 'F.gelu(a)', (a) => F.gelu(a), single()),
  operation('F.gelu, exact, far out', 'F.gelu(a)', (a) => F.gelu(a), [
    [given([8], [-30, -6, -3.5, -0.75, 0, 0.75, 5, 30])],
  ]),
  operation('exp of int', 'a.exp()', (a) => a.exp(), single(few), { gradient: false }),
  ...(
    [
      'exp',
      'log',
      'sqrt',
      'tanh',
      'sigmoid',
      'relu',
      'abs',
      'erf',
      'log1p',
      'expm1',
      'floor',
      'round',
      'sign',
    ] as const
  ).map((name) =>
    operation(`${name} of what is not finite`, `a.${name}()`, (a) => a[name](), [[NOT_FINITE]], {
      gradient: false,
    }),
  ),

  operation('add', 'a + b', (a, b) => a.add(b), pairs(), { sized: sizedPair() }),
  operation('sub', 'a - b', (a, b) => a.sub(b), pairs(), { sized: sizedPair() }),
  operation('mul', 'a * b', (a, b) => a.mul(b), pairs(), { sized: sizedPair() }),
  operation('div', 'a / b', (a, b) => a.div(b), pairs(real, nonzero), { sized: sizedPair(real, nonzero) }),
  operation('pow', 'a ** b', (a, b) => a.pow(b), pairs(positive, real), { sized: sizedPair(positive, real) }),
  operation('maximum', 'torch.maximum(a, b)', (a, b) => a.maximum(b), pairs(real, positive), {
    smooth: false,
    sized: sizedPair(real, positive),
  }),
  operation('minimum', 'torch.minimum(a, b)', (a, b) => a.minimum(b), pairs(real, positive), {
    smooth: false,
    sized: sizedPair(real, positive),
  }),
  operation('maximum of equal ones', 'torch.maximum(a, b)', (a, b) => a.maximum(b), [ties], {
    smooth: false,
  }),
  operation('minimum of equal ones', 'torch.minimum(a, b)', (a, b) => a.minimum(b), [ties], {
    smooth: false,
  }),
  operation('add a tensor to itself', 'a + a', (a) => a.add(a), single()),
  operation('mul a tensor by itself', 'a * a', (a) => a.mul(a), single()),
  operation('add a number', 'a + 1.5', (a) => a.add(1.5), single()),
  operation('sub a number', 'a - 3', (a) => a.sub(3), single()),
  operation('mul by a number', 'a * -2.5', (a) => a.mul(-2.5), single()),
  operation('div by a number', 'a / 7', (a) => a.div(7), single()),
  operation('pow 3', 'a ** 3', (a) => a.pow(3), single()),
  operation('pow of a half', 'a ** -0.5', (a) => a.pow(-0.5), single(positive)),
  operation(
    'pow at 0',
    'a ** b',
    (a, b) => a.pow(b),
    [[given([4], [0, 0, 2, 1]), given([4], [0, 2, 0, 3])]],
    {
      smooth: false,
    },
  ),
  operation('add of int', 'a + b', (a, b) => a.add(b), pairs(few), { gradient: false }),
  operation('mul of int', 'a * b', (a, b) => a.mul(b), pairs(few), { gradient: false }),
  operation('div of int', 'a / b', (a, b) => a.div(b), pairs(few, counts), { gradient: false }),
  operation('add of int and float', 'a + b', (a, b) => a.add(b), pairs(few, real)),
  operation('mul of bool and float', 'a * b', (a, b) => a.mul(b), pairs(flags, real)),
  operation('add a fraction to int', 'a + 0.5', (a) => a.add(0.5), single(few), { gradient: false }),
  operation('add a number to int', 'a + 2', (a) => a.add(2), single(few), { gradient: false }),

  ...compare('eq', '=='),
  ...compare('ne', '!='),
  ...compare('lt', '<'),
  ...compare('le', '<='),
  ...compare('gt', '>'),
  ...compare('ge', '>='),

  operation('clamp', 'a.clamp(-1.03, 0.77)', (a) => a.clamp(-1.03, 0.77), single(), { smooth: false }),
  // At a bound the gradient is 0, as in PyTorch since 2.15.
  ...(
    [
      [-1, 1],
      [-1, null],
      [null, 1],
    ] as const
  ).map(([low, high]) =>
    operation(
      `clamp at its bounds, ${low} and ${high}`,
      `a.clamp(${low ?? 'None'}, ${high ?? 'None'})`,
      (a) => a.clamp(low, high),
      [[given([5], [-2, -1, 0, 1, 3])]],
      { smooth: false },
    ),
  ),
  operation(
    'clamp between tensors',
    'a.clamp(b, c)',
    (a, b, c) => a.clamp(b, c),
    [
      [real(2, 3), real(3), real(2, 1)],
      [
        given([8], [-2, -1, 0, 1, 3, 0, 1, 2]),
        given([8], [-1, -1, -1, -1, -1, 0, 1, 1]),
        given([8], [1, 1, 1, 1, 1, 0, 0, 1]),
      ],
    ],
    { smooth: false, sized: (n) => [real(n), real(n), real(1)] },
  ),
  operation('maskedFill', 'a.masked_fill(b, -2.5)', (a, b) => a.maskedFill(b, -2.5), [
    [real(2, 3), flags(2, 3)],
    [real(2, 2, 3, 3), flags(3, 3)],
    [real(4), flags()],
    [real(0, 3), flags(3)],
  ]),
  operation(
    'maskedFill with -∞',
    "a.masked_fill(b, float('-inf')).softmax(-1)",
    (a, b) => a.maskedFill(b, -Infinity).softmax(-1),
    [[real(2, 3), given([2, 3], [0, 1, 1, 0, 0, 1], 'bool')]],
    { sized: (n) => [real(n, 3), given([3], [1, 0, 1], 'bool')] },
  ),
  operation('where', 'torch.where(c, a, b)', (a, b, c) => where(c, a, b), [
    [real(2, 3), real(2, 3), flags(2, 3)],
    [real(3), real(2, 1), flags(2, 3)],
    [real(2, 1), real(), flags(3)],
    [real(), real(), flags()],
    [real(0, 3), real(3), flags(0, 1)],
  ]),
  operation('where with a number', 'torch.where(b, a, torch.tensor(0.5))', (a, b) => a.where(b, 0.5), [
    [real(2, 3), flags(2, 3)],
  ]),
  operation(
    'where of int',
    'torch.where(c, a, b)',
    (a, b, c) => where(c, a, b),
    [[few(4), few(4), flags(4)]],
    {
      gradient: false,
    },
  ),

  operation('clone', 'a.clone()', (a) => a.clone(), single()),
  operation('detach', 'a.detach()', (a: Tensor) => a.detach(), single(), { gradient: false }),
  operation('to float32', 'a.float()', (a) => a.to('float32'), single(few), { gradient: false }),
  operation('float', 'a.float()', (a) => a.float(), single()),
  operation('int', 'a.long()', (a) => a.int(), single(), { gradient: false }),
  operation('bool', 'a.bool()', (a) => a.bool(), single(few), { gradient: false }),
  operation('zerosLike', 'torch.zeros_like(a)', (a) => a.zerosLike(), single(), { gradient: false }),
];
