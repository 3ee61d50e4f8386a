import { manualSeed, nn, noGrad, rand, type Tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { inputs } from './03-simple-attention.ts';

/**
 * Attention with weights that are learnt. Each token is projected three times: its query says what it looks
 * for, its key what it offers, its value what it gives to those that look. The scores are divided by √d: a
 * dot product grows with the number of dimensions, and softmax of large numbers is all but 0 or 1, where
 * its gradient vanishes (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.1).
 */

/** The three projections of a head, each [dIn, dOut]. */
export interface Projections {
  wQuery: Tensor;
  wKey: Tensor;
  wValue: Tensor;
}

/** One token's way through a head, step by step: x [t, dIn] → what the token at `position` takes over, [dOut]. */
export function attendFrom(position: number, x: Tensor, { wQuery, wKey, wValue }: Projections) {
  const query = x.index(position).matmul(wQuery); // [dIn] · [dIn, dOut] → [dOut]
  const keys = x.matmul(wKey); // [t, dIn] · [dIn, dOut] → [t, dOut]
  const values = x.matmul(wValue); // [t, dOut]
  const scores = keys.matmul(query); // [t, dOut] · [dOut] → [t]
  const scale = 1 / Math.sqrt(keys.shape[1]);
  const weights = scores.mul(scale).softmax(-1); // [t]
  const context = weights.matmul(values); // [t] · [t, dOut] → [dOut]
  return { query, keys, values, scores, weights, context };
}

/** One head, its projections plain matrices [dIn, dOut]. */
export class SelfAttentionV1 extends nn.Module {
  static override readonly stateNames = { wQuery: 'W_query', wKey: 'W_key', wValue: 'W_value' };

  wQuery: nn.Parameter;
  wKey: nn.Parameter;
  wValue: nn.Parameter;

  constructor(dIn: number, dOut: number) {
    super();
    this.wQuery = new nn.Parameter(rand(dIn, dOut));
    this.wKey = new nn.Parameter(rand(dIn, dOut));
    this.wValue = new nn.Parameter(rand(dIn, dOut));
  }

  /** x [t, dIn] → [t, dOut]. */
  forward(x: Tensor): Tensor {
    const queries = x.matmul(this.wQuery); // [t, dOut]
    const keys = x.matmul(this.wKey); // [t, dOut]
    const values = x.matmul(this.wValue); // [t, dOut]
    const scores = queries.matmul(keys.T); // [t, t]
    const weights = scores.div(Math.sqrt(keys.shape[1])).softmax(-1); // [t, t]
    return weights.matmul(values); // [t, dOut]
  }
}

/** The same with Linear layers, whose first weights are drawn in a range that suits training. */
export class SelfAttentionV2 extends nn.Module {
  static override readonly stateNames = { wQuery: 'W_query', wKey: 'W_key', wValue: 'W_value' };

  wQuery: nn.Linear;
  wKey: nn.Linear;
  wValue: nn.Linear;

  constructor(dIn: number, dOut: number, { qkvBias = false } = {}) {
    super();
    this.wQuery = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wKey = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wValue = new nn.Linear(dIn, dOut, { bias: qkvBias });
  }

  /** x [t, dIn] → scores [t, t]. */
  scores(x: Tensor): Tensor {
    return this.wQuery.forward(x).matmul(this.wKey.forward(x).T); // [t, dOut] · [dOut, t] → [t, t]
  }

  /** x [t, dIn] → [t, dOut]. */
  forward(x: Tensor): Tensor {
    const scale = 1 / Math.sqrt(this.wKey.outFeatures);
    const weights = this.scores(x).mul(scale).softmax(-1); // [t, t]
    return weights.matmul(this.wValue.forward(x)); // [t, t] · [t, dOut] → [t, dOut]
  }
}

/** “journey” on its way through a head. */
export function showStepByStep(nb: Notebook): void {
  manualSeed(123);
  const head = new SelfAttentionV1(3, 2);
  noGrad(() => {
    const { query, keys, values, scores, weights, context } = attendFrom(1, inputs, head);
    nb.print(70, query);
    nb.print(72, 'keys.shape:', torchSize(keys.shape));
    nb.print(72, 'values.shape:', torchSize(values.shape));
    nb.print(75, query.matmul(keys.index(1)));
    nb.print(77, scores);
    nb.print(80, weights);
    nb.print(83, context);
  });
}

/** All tokens through both classes. */
export function showClasses(nb: Notebook): void {
  manualSeed(123);
  nb.print(86, new SelfAttentionV1(3, 2).forward(inputs));
  nb.print(89, headOfSeed789().forward(inputs));
}

/** The head that sections 3.4.2 and 3.5 share. */
export function headOfSeed789(): SelfAttentionV2 {
  manualSeed(789);
  return new SelfAttentionV2(3, 2);
}
