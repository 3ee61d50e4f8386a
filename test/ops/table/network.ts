import { arange, F, manualSeed } from '../../../lib/index.ts';
import { given, type Input, positive, real, whole } from '../inputs.ts';
import { type Operation, operation, single } from '../operation.ts';

const products = (...shapes: [number[], number[]][]): Input[][] =>
  shapes.map(([a, b]) => [real(...a), real(...b)]);
const seventeen = whole(0, 17);
const wide = [[given([2, 4], [1000, 999, 0, -1000, -5000, -5001, -5000.5, -4990])]];
/** The log-sum-exp of numbers near 5,000 is a float32: up to 2.5e-4 off. */
const FAR_OUT = 3e-4;
const large = (logits: number[]): Input[] => [given([2, 4], logits), given([2], [1, 3], 'int32')];
const masked = [[given([2, 3], [0.5, -Infinity, 1, -Infinity, -Infinity, 2])]];

const linearCases = [
  [real(2, 3), real(4, 3), real(4)],
  [real(2, 3, 5), real(2, 5), real(2)],
  [real(3), real(4, 3), real(4)],
  [real(1, 1), real(1, 1), real(1)],
  [real(0, 3), real(2, 3), real(2)],
];
const attention = [[real(2, 2, 4, 4)], [real(3, 3)], [real(1, 1)], [real(0, 3, 3)]];
const normCases = [
  [real(2, 3, 5), positive(5), real(5)],
  [real(4, 3), positive(3), real(3)],
  [real(6), positive(6), real(6)],
  [real(0, 3), positive(3), real(3)],
];
const classes = [
  [real(4, 5), whole(0, 5)(4)],
  [real(1, 3), whole(0, 3)(1)],
  [real(3, 1), whole(0, 1)(3)],
];

export const network: readonly Operation[] = [
  operation(
    'matmul of matrices',
    'a @ b',
    (a, b) => a.matmul(b),
    products(
      [
        [2, 3],
        [3, 4],
      ],
      [
        [5, 7],
        [7, 6],
      ],
      [
        [1, 4],
        [4, 1],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [3, 1],
        [1, 2],
      ],
    ),
    { sized: (n) => [real(5, n), real(n, 7)] },
  ),
  operation(
    'matmul of nothing',
    'a @ b',
    (a, b) => a.matmul(b),
    products(
      [
        [0, 3],
        [3, 2],
      ],
      [
        [2, 0],
        [0, 3],
      ],
      [
        [2, 3],
        [3, 0],
      ],
      [
        [0, 2, 3],
        [0, 3, 1],
      ],
    ),
    { sized: (n) => [real(n, 0), real(0, n)] },
  ),
  operation(
    'matmul with vectors',
    'a @ b',
    (a, b) => a.matmul(b),
    products([[3], [3]], [[3], [3, 2]], [[2, 3], [3]], [[2, 2, 3], [3]], [[3], [2, 3, 2]]),
    { sized: (n) => [real(3, n), real(n)] },
  ),
  operation(
    'matmul of a batch by one matrix',
    'a @ b',
    (a, b) => a.matmul(b),
    products(
      [
        [2, 3, 4],
        [4, 2],
      ],
      [
        [2, 1, 3, 2],
        [2, 3],
      ],
    ),
    { sized: (n) => [real(2, n, 3), real(3, n)] },
  ),
  operation(
    'matmul of batches',
    'a @ b',
    (a, b) => a.matmul(b),
    products(
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      [
        [2, 2, 3, 2],
        [2, 2, 2, 3],
      ],
      [
        [1, 2, 3],
        [4, 3, 2],
      ],
      [
        [2, 3],
        [4, 3, 2],
      ],
    ),
    { sized: (n) => [real(2, n, 9), real(2, 9, n)] },
  ),
  operation(
    'matmul of batches that broadcast both ways',
    'a @ b',
    (a, b) => a.matmul(b),
    products([
      [2, 1, 2, 3],
      [3, 3, 2],
    ]),
    { sized: (n) => [real(2, 1, 2, n), real(3, n, 2)] },
  ),
  operation('matmul by the transpose', 'a @ a.T', (a) => a.matmul(a.T), [[real(3, 4)]], {
    sized: (n) => [real(n, n)],
  }),
  operation('F.linear', 'F.linear(a, b, c)', F.linear, linearCases, {
    sized: (n) => [real(3, n), real(n, n), real(n)],
  }),
  operation(
    'F.linear without bias',
    'F.linear(a, b)',
    (a, b) => F.linear(a, b),
    linearCases.map((c) => c.slice(0, 2)),
    {
      sized: (n) => [real(n, 3), real(5, 3)],
    },
  ),

  operation(
    'softmax',
    'a.softmax(-1)',
    (a) => a.softmax(),
    single().filter(([a]) => a.shape.length > 0),
  ),
  operation(
    'F.softmax',
    'F.softmax(a, 0)',
    (a) => F.softmax(a, 0),
    [[real(3, 2)], [real(2, 3, 2)], [real()]],
    {
      sized: (n) => [real(n, 3)],
    },
  ),
  operation('softmax of large numbers', 'a.softmax(-1)', (a) => a.softmax(), wide),
  operation('softmax with -∞', 'a.softmax(-1)', (a) => a.softmax(), masked, { smooth: false }),
  operation(
    'logSoftmax',
    'a.log_softmax(-1)',
    (a) => a.logSoftmax(),
    single().filter(([a]) => a.shape.length > 0),
  ),
  operation('F.logSoftmax', 'F.log_softmax(a, 1)', (a) => F.logSoftmax(a, 1), [
    [real(2, 3, 2)],
    [real(2, 3)],
  ]),
  operation('logSoftmax of large numbers', 'a.log_softmax(-1)', (a) => a.logSoftmax(), wide, {
    smooth: false,
    tolerance: FAR_OUT,
  }),
  operation(
    'F.causalSoftmax',
    "(0.5 * a).masked_fill(torch.ones_like(a).triu(1).bool(), float('-inf')).softmax(-1)",
    (a) => F.causalSoftmax(a, 0.5),
    attention,
    { sized: (n) => [real(2, n, n)] },
  ),
  operation(
    'F.causalSoftmax of the last tokens',
    "(0.5 * a).masked_fill(torch.ones_like(a).triu(1 + a.shape[-1] - a.shape[-2]).bool(), float('-inf')).softmax(-1)",
    (a) => F.causalSoftmax(a, 0.5),
    [[real(2, 2, 3, 5)], [real(1, 7)], [real(4, 5)], [real(0, 2, 3)]],
    { sized: (n) => [real(2, Math.ceil(n / 2), n)] },
  ),
  operation(
    'F.layerNorm',
    'F.layer_norm(a, a.shape[-1:], b, c)',
    (a, b, c) => F.layerNorm(a, b, c),
    normCases,
  ),
  operation(
    'F.layerNorm with a large eps',
    'F.layer_norm(a, a.shape[-1:], b, c, 0.5)',
    (a, b, c) => F.layerNorm(a, b, c, 0.5),
    normCases,
  ),
  operation('F.crossEntropy', 'F.cross_entropy(a, b)', (a, b) => F.crossEntropy(a, b), classes, {
    sized: (n) => [real(n, n), whole(0, n)(n)],
  }),
  operation(
    'F.crossEntropy with ignored targets',
    'F.cross_entropy(a, b)',
    (a, b) => F.crossEntropy(a, b),
    [[real(4, 3), given([4], [2, -100, 0, -100], 'int32')]],
    { sized: (n) => [real(4, n), given([4], [0, -100, n - 1, -100], 'int32')] },
  ),
  operation(
    'F.crossEntropy with another ignoreIndex',
    'F.cross_entropy(a, b, ignore_index=1)',
    (a, b) => F.crossEntropy(a, b, { ignoreIndex: 1 }),
    classes.slice(0, 1),
    { sized: (n) => [real(n, 5), whole(0, 5)(n)] },
  ),
  operation(
    'F.crossEntropy of one example',
    'F.cross_entropy(a, b)',
    (a, b) => F.crossEntropy(a, b),
    [[real(5), whole(0, 5)()]],
    { sized: (n) => [real(n), given([], [n - 1], 'int32')] },
  ),
  operation(
    'F.crossEntropy of large logits',
    'F.cross_entropy(a, b)',
    (a, b) => F.crossEntropy(a, b),
    [large([1000, 999, 0, -1000, -5000, -5001, -5000.5, -4990])],
    { gradient: false, tolerance: FAR_OUT },
  ),
  // exp(90) is infinite in float32.
  operation(
    'F.crossEntropy of logits that would overflow',
    'F.cross_entropy(a, b)',
    (a, b) => F.crossEntropy(a, b),
    [large([90, 89, 91, 0, -90, -89.5, -91, -90.25])],
  ),
  operation(
    'F.crossEntropy over two axes',
    'F.cross_entropy(a.reshape(-1, 17), b.reshape(-1))',
    (a, b) => F.crossEntropy(a.flatten(0, 1), b.flatten()),
    [[real(2, 3, 17), seventeen(2, 3)]],
    { sized: (n) => [real(2, n, 17), seventeen(2, n)] },
  ),
  operation(
    'F.rmsNorm',
    'F.rms_norm(a, a.shape[-1:], b, 1e-5)',
    (a, b) => F.rmsNorm(a, b, 1e-5),
    normCases.map((c) => c.slice(0, 2)),
  ),
  operation(
    'F.rmsNorm with a large eps',
    'F.rms_norm(a, a.shape[-1:], b, 0.5)',
    (a, b) => F.rmsNorm(a, b, 0.5),
    normCases.map((c) => c.slice(0, 2)),
  ),
  operation(
    'F.rmsNorm without a weight',
    'F.rms_norm(a, a.shape[-1:])',
    (a) => F.rmsNorm(a),
    [[real(2, 3)], [real(2, 3, 4)], [real(5)], [given([2, 3], [0, 0, 0, 1e-4, 0, 0])]],
    { smooth: false },
  ),
  operation(
    'F.rotaryEmbedding',
    'rotary_embedding(a)',
    (a) => {
      const [tokens, half] = [a.shape.at(-2)!, a.shape.at(-1)! / 2];
      const angles = arange(tokens * half)
        .reshape(tokens, half)
        .float()
        .div(4);
      return F.rotaryEmbedding(a, angles.cos(), angles.sin());
    },
    [[real(3, 4)], [real(2, 3, 5, 6)], [real(1, 2)]],
    { sized: (n) => [real(2, n, 10)] },
  ),
  operation(
    'F.embedding',
    'F.embedding(a, b)',
    (ids, weight) => F.embedding(weight, ids),
    [
      [whole(0, 4)(3), real(4, 2)],
      [whole(0, 3)(2, 5), real(3, 2)],
      [whole(0, 3)(), real(3, 4)],
      [whole(0, 3)(0), real(3, 2)],
      [given([4], [1, 1, 0, 1], 'int32'), real(2, 3)],
    ],
    { sized: (n) => [whole(0, n)(2, n), real(n, n)] },
  ),
  operation(
    'F.dropout',
    'seeded(lambda: F.dropout(a, 0.3))',
    (a) => {
      manualSeed(123);
      return F.dropout(a, 0.3);
    },
    single(),
  ),
  operation(
    'F.dropout in evaluation',
    'F.dropout(a, 0.3, False)',
    (a) => F.dropout(a, 0.3, false).mul(1),
    single(),
  ),
];
