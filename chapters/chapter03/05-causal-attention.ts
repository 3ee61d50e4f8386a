import { manualSeed, nn, ones, type Tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { inputs } from './03-simple-attention.ts';
import { headOfSeed789 } from './04-self-attention.ts';

/**
 * A model that has to guess the next token must not look at it. So token i may attend only to the tokens 0 … i:
 * in the [t, t] matrix of weights everything right of the diagonal has to be 0.
 */

/** The first way: take softmax, zero what is forbidden, and scale each row to the sum 1 again. */
export function maskAndNormalise(weights: Tensor): { mask: Tensor; masked: Tensor; normalised: Tensor } {
  const tokens = weights.shape[0];
  const mask = ones(tokens, tokens).tril(); // [t, t]: 1 on and below the diagonal
  const masked = weights.mul(mask); // [t, t]
  const normalised = masked.div(masked.sum(-1, true)); // [t, t] / [t, 1]
  return { mask, masked, normalised };
}

/** The better way: before softmax set forbidden scores to −∞; exp turns it into 0. scores [..., t, t]. */
export function maskFuture(scores: Tensor): Tensor {
  const tokens = scores.shape.at(-1)!;
  const future = ones(tokens, tokens).triu(1).bool(); // [t, t]: true above the diagonal
  return scores.maskedFill(future, Number.NEGATIVE_INFINITY);
}

/**
 * One head that sees only the past, for a batch of texts. Dropout on the weights while training: a token
 * cannot then rely on any single other one.
 */
export class CausalAttention extends nn.Module {
  static override readonly stateNames = { wQuery: 'W_query', wKey: 'W_key', wValue: 'W_value' };

  wQuery: nn.Linear;
  wKey: nn.Linear;
  wValue: nn.Linear;
  dropout: nn.Dropout;

  constructor(dIn: number, dOut: number, dropout: number, { qkvBias = false } = {}) {
    super();
    this.wQuery = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wKey = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wValue = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.dropout = new nn.Dropout(dropout);
  }

  /** x [b, t, dIn] → [b, t, dOut]. */
  forward(x: Tensor): Tensor {
    const queries = this.wQuery.forward(x); // [b, t, dOut]
    const keys = this.wKey.forward(x); // [b, t, dOut]
    const values = this.wValue.forward(x); // [b, t, dOut]
    const scores = queries.matmul(keys.transpose(1, 2)); // [b, t, dOut] · [b, dOut, t] → [b, t, t]
    const scale = 1 / Math.sqrt(this.wKey.outFeatures);
    const weights = maskFuture(scores).mul(scale).softmax(-1); // [b, t, t]
    return this.dropout.forward(weights).matmul(values); // [b, t, t] · [b, t, dOut] → [b, t, dOut]
  }
}

/** Both ways to hide the future. Returns the masked weights [6, 6]. */
export function showMask(nb: Notebook): Tensor {
  const scores = headOfSeed789().scores(inputs); // [6, 6]
  const weights = scores.div(Math.SQRT2).softmax(-1); // the keys have 2 dimensions
  nb.print(98, weights);
  const { mask, masked, normalised } = maskAndNormalise(weights);
  nb.print(100, mask);
  nb.print(102, masked);
  nb.print(105, normalised);
  const infinite = maskFuture(scores);
  nb.print(108, infinite);
  const causal = infinite.div(Math.SQRT2).softmax(-1);
  nb.print(110, causal);
  return causal;
}

/** Half of the weights dropped, the others doubled. */
export function showDropout(nb: Notebook, weights: Tensor): void {
  const layer = new nn.Dropout(0.5);
  manualSeed(123);
  nb.print(115, layer.forward(ones(6, 6)));
  manualSeed(123);
  nb.print(116, layer.forward(weights));
}

/** The class on two texts: batch [2, 6, 3]. */
export function showCausalAttention(nb: Notebook, batch: Tensor): void {
  nb.print(120, torchSize(batch.shape));
  manualSeed(123);
  printContext(nb, 121, new CausalAttention(3, 2, 0).forward(batch));
}

/** What heads give for two texts: context [2, 6, d]. */
export function printContext(nb: Notebook, cell: number, context: Tensor): void {
  nb.print(cell, context);
  nb.print(cell, 'context_vecs.shape:', torchSize(context.shape));
}
