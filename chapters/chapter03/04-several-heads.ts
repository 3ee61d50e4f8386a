import { cat, nn, type Tensor } from '../../lib/index.ts';
import { CausalAttention } from './03-causal-attention.ts';

/**
 * Several heads side by side: each has projections of its own, so that one may follow the grammar and another
 * the subject. The wrapper runs them one after the other and lays their results next to each other.
 */
export class MultiHeadAttentionWrapper extends nn.Module {
  heads: nn.ModuleList;

  constructor(dIn: number, dOut: number, dropout: number, numHeads: number, { qkvBias = false } = {}) {
    super();
    this.heads = new nn.ModuleList(
      Array.from({ length: numHeads }, () => new CausalAttention(dIn, dOut, dropout, { qkvBias })),
    );
  }

  /** x [b, t, dIn] → [b, t, numHeads · dOut]. */
  forward(x: Tensor): Tensor {
    return cat(
      [...this.heads].map((head) => head.forward(x)),
      -1,
    ); // numHeads × [b, t, dOut]
  }
}
