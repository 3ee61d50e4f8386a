import type { LlamaConfig } from './model/config.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. The parameters of a Llama by arithmetic, its head being the token embedding. A head of keys and values serves
 * several heads of queries, so their projections are narrower; the feed-forward layer has three matrices; nothing
 * has a bias.
 */
export function parametersOf({
  vocabSize,
  embDim: d,
  nHeads,
  nKvHeads,
  nLayers,
  hiddenDim,
}: LlamaConfig): number {
  const attention = 2 * d * d + 2 * d * nKvHeads * (d / nHeads); // W_query, out_proj; W_key, W_value
  const feedForward = 3 * d * hiddenDim;
  return vocabSize * d + nLayers * (attention + feedForward + 2 * d) + d;
}

/**
 * 2. Bytes of keys and values for `tokens` tokens in float32. Keys and values, for each layer and each of its
 * heads: nKvHeads, each embDim / nHeads wide.
 */
export function cacheBytes({ embDim, nHeads, nKvHeads, nLayers }: LlamaConfig, tokens: number): number {
  return 4 * 2 * nLayers * nKvHeads * (embDim / nHeads) * tokens;
}

/** 3. Positions in which the slowest point of a head turns once around: 2π / ω of the last one. */
export function slowestTurn({ embDim, nHeads, ropeBase }: LlamaConfig): number {
  const d = embDim / nHeads;
  return 2 * Math.PI * ropeBase ** ((d - 2) / d);
}
