import { F } from '../../../lib/index.ts';
import { given, positive, real, whole } from '../inputs.ts';
import { type Operation, operation } from '../operation.ts';

const alike = [
  [real(2, 3), real(2, 3)],
  [real(4), real(4)],
  [real(), real()],
  [real(2, 3, 2), real(2, 3, 2)],
];

/** Losses other than cross entropy, which stands in network.ts. */
export const losses: readonly Operation[] = [
  ...(['mean', 'sum', 'none'] as const).flatMap((reduction) => [
    operation(
      `F.mseLoss, ${reduction}`,
      `F.mse_loss(a, b, reduction='${reduction}')`,
      (a, b) => F.mseLoss(a, b, { reduction }),
      alike,
    ),
    operation(
      `F.binaryCrossEntropyWithLogits, ${reduction}`,
      `F.binary_cross_entropy_with_logits(a, b, reduction='${reduction}')`,
      (a, b) => F.binaryCrossEntropyWithLogits(a, b, { reduction }),
      alike,
    ),
  ]),
  operation('F.mseLoss of other shapes', 'F.mse_loss(a, b)', (a, b) => F.mseLoss(a, b), [
    [real(2, 3), real(3)],
  ]),
  operation(
    'F.binaryCrossEntropyWithLogits far out',
    'F.binary_cross_entropy_with_logits(a, b)',
    (a, b) => F.binaryCrossEntropyWithLogits(a, b),
    [[given([5], [-200, -20, 0, 20, 200]), given([5], [1, 0, 1, 1, 0])]],
    { smooth: false },
  ),
  operation(
    'F.binaryCrossEntropyWithLogits with weights',
    'F.binary_cross_entropy_with_logits(a, b, weight=c.detach(), pos_weight=c.detach() + 1)',
    (a, b, c) => F.binaryCrossEntropyWithLogits(a, b, { weight: c.detach(), posWeight: c.detach().add(1) }),
    [
      [real(2, 3), real(2, 3), positive(3)],
      [real(2, 3), real(2, 3), positive(2, 3)],
    ],
    { smooth: false, sized: (n) => [real(2, n), real(2, n), positive(n)] },
  ),
  operation(
    'F.linearCrossEntropy',
    'F.cross_entropy(a @ b.T, c)',
    (a, b, c) => F.linearCrossEntropy(a, b, c),
    [
      [real(4, 3), real(5, 3), whole(0, 5)(4)],
      [real(1, 2), real(3, 2), whole(0, 3)(1)],
      [real(4, 3), real(3, 3), given([4], [2, -100, 0, -100], 'int32')],
    ],
    { sized: (n) => [real(n, 9), real(n, 9), whole(0, n)(n)] },
  ),
];
