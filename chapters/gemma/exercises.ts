import type { GemmaConfig } from './model/config.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. The parameters of a Gemma by arithmetic, its head being the token embedding. Heads have a width of their own; there are
 * four norms in a block, and two more of the numbers of a head.
 */
export function parametersOf(config: GemmaConfig): number {
  const { vocabSize, embDim: d, nHeads, nKvHeads, nLayers, hiddenDim } = config;
  const headDim = config.headDim ?? d / nHeads;
  const attention = 2 * d * nHeads * headDim + 2 * d * nKvHeads * headDim; // W_query, out_proj; W_key, W_value
  const norms = 4 * d + 2 * headDim;
  return vocabSize * d + nLayers * (attention + 3 * d * hiddenDim + norms) + d;
}

/**
 * 2. How many tokens back the last token can have heard of, if only the blocks with a window pass things on. Each of them
 * reaches window − 1 tokens further than the one before it.
 */
export function reach({ window, windowed }: GemmaConfig): number {
  return windowed.filter((has) => has).length * (window - 1);
}

/** 3. Positions in which the slowest point of a head turns once around: 2π / ω of the last one. */
export function slowestTurn(headDim: number, base: number): number {
  return 2 * Math.PI * base ** ((headDim - 2) / headDim);
}
