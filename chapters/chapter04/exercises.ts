import type { Tensor } from '../../lib/index.ts';
import { type DeepNetwork, gradientSizes } from './04-shortcuts.ts';
import type { TransformerBlock } from './05-transformer-block.ts';
import { countParameters } from './06-gpt-model.ts';
import type { GPTConfig } from './config.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. How many of a block's parameters are in its attention, in its feed-forward layer, and in its norms.
 * `countParameters` takes any part of a model.
 */
export function countBlock(block: TransformerBlock): {
  attention: number;
  feedForward: number;
  norms: number;
} {
  return {
    attention: countParameters(block.att),
    feedForward: countParameters(block.ff),
    norms: countParameters(block.norm1) + countParameters(block.norm2),
  };
}

/**
 * 2. The parameters of a GPT by arithmetic, without building it. Two embeddings and a head, and in each block 4 d²
 * for the attention and 8 d² for the feed-forward layer, with their biases and norms.
 */
export function parametersOf({ vocabSize, contextLength, embDim: d, nLayers, qkvBias }: GPTConfig): number {
  const attention = 4 * d * d + d + (qkvBias ? 3 * d : 0); // W_query, W_key, W_value, out_proj with its bias
  const feedForward = 2 * (4 * d * d) + 4 * d + d; // d → 4d and 4d → d, each with a bias
  const norm = 2 * d; // scale and shift
  const embeddings = (vocabSize + contextLength) * d;
  return embeddings + nLayers * (attention + feedForward + 2 * norm) + norm + d * vocabSize;
}

/** 3. RMS norm: x [..., d] divided by the root of its mean square, and scaled [d]. */
export function rmsNorm(x: Tensor, scale: Tensor, eps = 1e-5): Tensor {
  const meanSquare = x.square().mean(-1, true); // [..., d] → [..., 1]
  return x.div(meanSquare.add(eps).sqrt()).mul(scale);
}

/**
 * 4. How much of the last layer's gradient reaches the first one. `gradientSizes` gives the size for each layer:
 * divide the first by the last.
 */
export function survivingGradient(network: DeepNetwork, input: Tensor): number {
  const sizes = gradientSizes(network, input).map(([, size]) => size);
  return sizes[0] / sizes[sizes.length - 1];
}
