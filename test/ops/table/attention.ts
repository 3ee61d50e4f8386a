import { F, tensor } from '../../../lib/index.ts';
import { type Input, real } from '../inputs.ts';
import { type Operation, operation } from '../operation.ts';

const heads = (b: number, h: number, l: number, s: number, d: number): Input[] => [
  real(b, h, l, d),
  real(b, h, s, d),
  real(b, h, s, d),
];
const attentionInputs = [heads(2, 2, 3, 3, 4), heads(1, 1, 1, 1, 2), [real(3, 4), real(3, 4), real(3, 2)]];
const shorter = [heads(2, 2, 2, 5, 4), [real(2, 3), real(5, 3), real(5, 3)]];
const SDPA = 'F.scaled_dot_product_attention';
/** Attention in one call. */
export const attention: readonly Operation[] = [
  operation(
    'F.scaledDotProductAttention',
    `${SDPA}(a, b, c)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c),
    [...attentionInputs, ...shorter],
    {
      sized: (n) => heads(1, 2, n, n, 4),
    },
  ),
  operation(
    'F.scaledDotProductAttention, causal',
    `${SDPA}(a, b, c, is_causal=True)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true }),
    attentionInputs,
    {
      sized: (n) => heads(1, 2, n, n, 4),
    },
  ),
  operation(
    'F.scaledDotProductAttention, causal, with fewer queries',
    `${SDPA}(a, b, c, is_causal=True)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true }),
    shorter,
    {
      sized: (n) => heads(1, 2, n, n + 3, 4),
    },
  ),
  operation(
    'F.scaledDotProductAttention with a scale',
    `${SDPA}(a, b, c, is_causal=True, scale=0.7)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true, scale: 0.7 }),
    attentionInputs,
  ),
  operation(
    'F.scaledDotProductAttention after a cache',
    `${SDPA}(a, b, c, attn_mask=torch.ones(2, 5, dtype=torch.bool).tril(3))`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true, offset: 3 }),
    shorter,
    { sized: (n) => heads(1, 2, 2, 5, n) },
  ),
  operation(
    'F.scaledDotProductAttention of one query after a cache',
    `${SDPA}(a, b, c)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true, offset: b.shape.at(-2)! - 1 }),
    [heads(2, 2, 1, 5, 4)],
    { sized: (n) => heads(1, 2, 1, n, 4) },
  ),
  // One head of queries sees nothing: its output is 0.
  operation(
    'F.scaledDotProductAttention with a mask',
    `${SDPA}(a, b, c, attn_mask=torch.tensor([[True, False, True], [False, False, False]]))`,
    (a, b, c) =>
      F.scaledDotProductAttention(a, b, c, {
        attnMask: tensor([
          [true, false, true],
          [false, false, false],
        ]),
      }),
    [heads(2, 2, 2, 3, 4)],
    { sized: (n) => heads(1, 2, 2, 3, n) },
  ),
  operation(
    'F.scaledDotProductAttention with added numbers',
    `${SDPA}(a, b, c, attn_mask=torch.tensor([[0.5, float('-inf'), -2.0]]))`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { attnMask: tensor([0.5, -Infinity, -2]) }),
    [heads(2, 2, 2, 3, 4)],
    { sized: (n) => heads(1, 2, 2, 3, n) },
  ),
  operation(
    'F.scaledDotProductAttention of grouped heads',
    `${SDPA}(a, b, c, is_causal=True, enable_gqa=True)`,
    (a, b, c) => F.scaledDotProductAttention(a, b, c, { isCausal: true, enableGqa: true }),
    [[real(2, 4, 3, 2), real(2, 2, 3, 2), real(2, 2, 3, 2)]],
    { sized: (n) => [real(1, 4, n, 2), real(1, 2, n, 2), real(1, 2, n, 2)] },
  ),
];
