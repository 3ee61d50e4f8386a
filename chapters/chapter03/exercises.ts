import { arange, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import type { CausalAttention } from './05-causal-attention.ts';
import { MultiHeadAttention, type MultiHeadAttentionWrapper } from './06-multi-head-attention.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. Softmax that does not overflow: x [..., t] → [..., t]. Subtracting the same number from all scores changes
 * nothing: take the largest, and no exponent is above 0.
 */
export function stableSoftmax(x: Tensor): Tensor {
  const largest = x.amax(-1, true); // [..., 1]
  // exp(x − c) / Σ exp(x − c) = exp(x) / Σ exp(x), as exp(−c) cancels; now the largest exponent is 0.
  const positive = x.sub(largest).exp();
  return positive.div(positive.sum(-1, true));
}

/**
 * 2. How many numbers a MultiHeadAttention learns. The number of heads does not matter. Three projections dIn →
 * dOut and one dOut → dOut, which has a bias.
 */
export function countAttentionParameters(dIn: number, dOut: number, { qkvBias = false } = {}): number {
  const projections = 3 * (dIn * dOut + (qkvBias ? dOut : 0));
  const output = dOut * dOut + dOut;
  return projections + output;
}

/**
 * 3. Do two texts that differ only in the order of their tokens get the same context vectors, in that order?
 * Attend and then reorder, reorder and then attend: compare.
 */
export function ignoresOrder(attend: (x: Tensor) => Tensor, x: Tensor, order: readonly number[]): boolean {
  const reordered = attend(x.indexSelect(0, order)); // [t, d]
  const expected = attend(x).indexSelect(0, order); // [t, d]
  return reordered.sub(expected).abs().max().item() < 1e-5;
}

/**
 * 4. A window: true where token i must not look, either later or more than `width` tokens back. [t, t] The row's
 * index minus the column's says how far back a token lies.
 */
export function outsideWindow(tokens: number, width: number): Tensor {
  const row = arange(tokens).unsqueeze(1); // [t, 1]
  const column = arange(tokens).unsqueeze(0); // [1, t]
  const distance = row.sub(column); // [t, t]: how far back the column lies
  const later = distance.lt(0).float();
  const tooFar = distance.ge(width).float();
  return later.add(tooFar).bool();
}

/**
 * 5. The same function as the heads of a wrapper side by side, as one MultiHeadAttention. The rows of the wide
 * projections are those of the heads, one head after the other; `outProj` must then do nothing.
 */
export function joinHeads(wrapper: MultiHeadAttentionWrapper, contextLength: number): MultiHeadAttention {
  const heads = [...wrapper.heads] as CausalAttention[];
  const { inFeatures: dIn, outFeatures: width } = heads[0].wQuery;
  const dOut = heads.length * width;
  const joined = new MultiHeadAttention(dIn, dOut, contextLength, 0, heads.length);
  noGrad(() => {
    heads.forEach((head, n) => {
      for (const name of ['wQuery', 'wKey', 'wValue'] as const) {
        // Rows n·width … of the wide projection are those of head n.
        joined[name].weight.narrow(0, n * width, width).copyInPlace(head[name].weight);
      }
    });
    // The wrapper's heads do not mix: the output projection has to do nothing.
    const identity = arange(dOut).unsqueeze(1).eq(arange(dOut)).float(); // [dOut, dOut]
    joined.outProj.weight.copyInPlace(identity);
    joined.outProj.bias!.copyInPlace(tensor(0));
  });
  return joined;
}
