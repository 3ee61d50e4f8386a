import { checkCount, checkFlag, checkNumber, checkOptions, noMore } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { tensor } from '../create.ts';
import { requireTensorIfGiven, requireTensors } from '../requireTensors.ts';
import { broadcastShapes, formatShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { matmul } from './matmul.ts';
import { repeatInterleave } from './repeat.ts';
import { causalSoftmax, softmax } from './softmax.ts';

/** What may see what, and by which scale. */
export interface AttentionOptions {
  /**
   * What a query may see, broadcast to [..., queries, keys]: a bool mask that is true there, or float32 numbers that are
   * added to the scores.
   */
  attnMask?: Tensor | null;
  /** Query i sees the keys 0 … i + offset only. */
  isCausal?: boolean;
  /** How many keys were there before the first query: those of a cache. 0. */
  offset?: number;
  /** The factor of the scores; 1 / √d. */
  scale?: number;
  /** Do several heads of queries share one of keys and values, in their order? */
  enableGqa?: boolean;
}

/**
 * softmax(scale · q kᵀ + mask) v (Vaswani et al. 2017): queries [..., l, d], keys [..., s, d], values [..., s, e] →
 * [..., l, e]. A query that may see nothing gives 0. With a cache, l new queries see s = offset + l keys.
 * @throws UserError if the shapes do not fit, or both a mask and isCausal are given
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
  ...more: []
): Tensor {
  const what = 'scaledDotProductAttention';
  noMore(what, 4, more);
  checkOptions(what, options, ['attnMask', 'isCausal', 'offset', 'scale', 'enableGqa']);
  requireTensors(what, query, key, value);
  const { attnMask, isCausal = false, offset = 0, enableGqa = false } = options;
  requireTensorIfGiven(`${what}: attnMask`, attnMask);
  checkFlag(isCausal, 'isCausal', what);
  checkFlag(enableGqa, 'enableGqa', what);
  checkCount(offset, 0, 'offset', what);
  if (query.ndim < 2 || key.shape.at(-1) !== query.shape.at(-1) || key.shape.at(-2) !== value.shape.at(-2)) {
    throw new UserError(
      `${what}: queries [..., l, d], keys [..., s, d] and values [..., s, e] are expected, not ` +
        [query, key, value].map((x) => formatShape(x.shape)).join(', '),
    );
  }
  if (attnMask && isCausal) throw new UserError(`${what}: give attnMask or isCausal, not both`);
  const [queries, keys] = [query.shape.at(-2)!, key.shape.at(-2)!];
  if (offset > 0 && !isCausal) throw new UserError(`${what}: offset needs isCausal: it counts earlier keys`);
  if (offset > 0 && offset + queries > keys)
    throw new UserError(`${what}: ${offset} earlier keys and ${queries} queries need more than ${keys} keys`);
  const [k, v] = enableGqa ? shareHeads(query, key, value) : [key, value];
  const scale = checkNumber(options.scale ?? 1 / Math.sqrt(query.shape.at(-1)!), 'scale', what);
  const scores = matmul(query, k.transpose(-2, -1)); // [..., l, s]
  if (isCausal && queries === keys && offset === 0) return matmul(causalSoftmax(scores, scale), v);
  const scaled = scores.mul(scale);
  // One new token after a cache sees all keys, and needs no mask.
  const mask = isCausal && offset < keys - 1 ? causalMask(queries, keys, offset) : attnMask;
  return matmul(mask ? maskedSoftmax(scaled, mask) : softmax(scaled), v);
}

/** Keys and values with each head repeated for the queries that share it. */
function shareHeads(query: Tensor, key: Tensor, value: Tensor): [Tensor, Tensor] {
  const [heads, shared] = [query.shape.at(-3) ?? 1, key.shape.at(-3) ?? 1];
  if (key.ndim < 3 || heads % shared !== 0 || value.shape.at(-3) !== shared) {
    throw new UserError(
      `scaledDotProductAttention: ${heads} heads of queries cannot share ${shared} of keys evenly`,
    );
  }
  const each = heads / shared;
  return [repeatInterleave(key, each, -3), repeatInterleave(value, each, -3)];
}

/** [queries, keys], true where query i sees key j ≤ i + offset. */
function causalMask(queries: number, keys: number, offset: number): Tensor {
  const seen = Uint8Array.from({ length: queries * keys }, (_, at) =>
    at % keys <= Math.floor(at / keys) + offset ? 1 : 0,
  );
  return tensor(seen).reshape([queries, keys]);
}

function maskedSoftmax(scores: Tensor, mask: Tensor): Tensor {
  if (mask.dtype === 'int32')
    throw new UserError('scaledDotProductAttention: a mask of bool or float32 is expected, not int32');
  broadcastShapes(mask.shape, scores.shape, 'scaledDotProductAttention: mask and scores');
  const masked = mask.dtype === 'bool' ? scores.maskedFill(mask.logicalNot(), -Infinity) : scores.add(mask);
  // Where a query sees nothing, softmax would divide 0 by 0.
  const blind = masked.detach().amax(-1, true).eq(-Infinity); // [..., l, 1]
  if (!blind.any().item()) return softmax(masked);
  return softmax(masked.maskedFill(blind, 0)).maskedFill(blind, 0);
}
