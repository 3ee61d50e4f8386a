import { type Tensor, tensor, zeros } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { float } from '../common/python.ts';

/**
 * Attention without weights: every token of a text looks at all of them, and takes over more from those that
 * are like itself. The likeness of two vectors is their dot product.
 */

/** Six tokens with made-up embeddings of three dimensions. */
export const inputs = tensor([
  [0.43, 0.15, 0.89], // Your
  [0.55, 0.87, 0.66], // journey
  [0.57, 0.85, 0.64], // starts
  [0.22, 0.58, 0.33], // with
  [0.77, 0.25, 0.1], // one
  [0.05, 0.8, 0.55], // step
]); // [6, 3]

/** a · b, written out: two vectors [d] give one number. */
export function dotByHand(a: Tensor, b: Tensor): Tensor {
  let sum = tensor(0);
  for (let i = 0; i < a.shape[0]; i++) sum = sum.add(a.index(i).mul(b.index(i)));
  return sum;
}

/** The likeness of one token to each: inputs [t, d], query [d] → scores [t]. */
export function scoresOf(query: Tensor, inputs: Tensor): Tensor {
  return inputs.matmul(query); // [t, d] · [d] → [t]
}

/**
 * Positive numbers that sum to 1, from any numbers: exp(x) / Σ exp(x). exp overflows at 89 in float32;
 * `softmax` itself subtracts the largest x first, which does not change the quotient.
 */
export function softmaxNaive(x: Tensor): Tensor {
  const positive = x.exp(); // [t]
  return positive.div(positive.sum()); // [t]
}

/** The mixture of all tokens in the proportion of the weights: weights [t], inputs [t, d] → [d]. */
export function contextByHand(weights: Tensor, inputs: Tensor): Tensor {
  let context = zeros(inputs.shape[1]); // [d]
  for (let i = 0; i < inputs.shape[0]; i++) context = context.add(inputs.index(i).mul(weights.index(i)));
  return context;
}

/** The scores of all pairs, one by one: inputs [t, d] → [t, t]. */
export function scoresByHand(inputs: Tensor): Tensor {
  const tokens = Array.from({ length: inputs.shape[0] }, (_, i) => inputs.index(i)); // t × [d]
  return tensor(tokens.map((a) => tokens.map((b) => dotByHand(a, b).item()))); // [t, t]
}

/** All of it at once, for every token: three lines are the whole of attention. */
export function simpleAttention(inputs: Tensor): { scores: Tensor; weights: Tensor; context: Tensor } {
  const scores = inputs.matmul(inputs.T); // [t, d] · [d, t] → [t, t]
  const weights = scores.softmax(-1); // [t, t], each row sums to 1
  const context = weights.matmul(inputs); // [t, t] · [t, d] → [t, d]
  return { scores, weights, context };
}

/** What one token, “journey”, takes over from each of the six. */
export function showOneToken(nb: Notebook): void {
  const query = inputs.index(1); // “journey”, [3]
  const scores = scoresOf(query, inputs); // [6]
  nb.print(28, scores);
  nb.print(30, dotByHand(inputs.index(0), query));
  nb.print(30, inputs.index(0).matmul(query));
  const candidates: [number, Tensor][] = [
    [33, scores.div(scores.sum())],
    [35, softmaxNaive(scores)],
    [37, scores.softmax()],
  ];
  for (const [cell, weights] of candidates) {
    nb.print(cell, 'Attention weights:', weights);
    nb.print(cell, 'Sum:', weights.sum());
  }
  nb.print(40, contextByHand(scores.softmax(), inputs));
}

/** The same for all six at once. */
export function showAllTokens(nb: Notebook): void {
  nb.print(47, scoresByHand(inputs));
  const { scores, weights, context } = simpleAttention(inputs);
  nb.print(49, scores);
  nb.print(51, weights);
  const rounded = [0.1385, 0.2379, 0.2333, 0.124, 0.1082, 0.1581];
  nb.print(53, 'Row 2 sum:', float(rounded.reduce((sum, weight) => sum + weight)));
  nb.print(53, 'All row sums:', weights.sum(-1));
  nb.print(55, context);
  nb.print(57, 'Previous 2nd context vector:', contextByHand(scores.index(1).softmax(), inputs));
}
