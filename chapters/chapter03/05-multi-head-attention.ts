import { F, nn, type Tensor } from '../../lib/index.ts';

/**
 * All heads in the same few products (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.2).
 * One wide projection makes the queries of all heads; a view cuts it into heads, and a batched product does
 * the rest. `outProj` lets the heads' results mix.
 *
 *      x [b, t, dIn] ──▶ [b, t, dOut] ──▶ [b, t, h, dOut/h] ──▶ [b, h, t, dOut/h]
 *                        project          view                  transpose
 */
export class MultiHeadAttention extends nn.Module {
  static override readonly stateNames = { wQuery: 'W_query', wKey: 'W_key', wValue: 'W_value' };

  wQuery: nn.Linear;
  wKey: nn.Linear;
  wValue: nn.Linear;
  outProj: nn.Linear;
  dropout: nn.Dropout;
  readonly contextLength: number;
  readonly numHeads: number;

  /**
   * @param contextLength the longest text that will be accepted
   * @param dropout the rate for the attention weights while training
   * @throws if dOut cannot be divided among the heads
   */
  constructor(
    dIn: number,
    dOut: number,
    contextLength: number,
    dropout: number,
    numHeads: number,
    { qkvBias = false } = {},
  ) {
    super();
    if (dOut % numHeads !== 0) {
      throw new Error(`MultiHeadAttention: ${dOut} dimensions cannot be divided among ${numHeads} heads`);
    }
    this.contextLength = contextLength;
    this.numHeads = numHeads;
    this.wQuery = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wKey = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wValue = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.outProj = new nn.Linear(dOut, dOut);
    this.dropout = new nn.Dropout(dropout);
  }

  /**
   * x [b, t, dIn] → [b, t, dOut].
   * @throws if t is more than contextLength
   */
  forward(x: Tensor): Tensor {
    const [, tokens] = x.shape;
    if (tokens > this.contextLength) {
      throw new Error(
        `MultiHeadAttention: ${tokens} tokens are more than the ${this.contextLength} it is for`,
      );
    }
    const queries = this.splitHeads(this.wQuery.forward(x)); // [b, t, dIn] → [b, h, t, dOut/h]
    const keys = this.splitHeads(this.wKey.forward(x)); // [b, h, t, dOut/h]
    const values = this.splitHeads(this.wValue.forward(x)); // [b, h, t, dOut/h]

    const scores = queries.matmul(keys.transpose(2, 3)); // [b, h, t, t]
    // Scaling, mask and softmax of the earlier sections in one pass.
    const weights = F.causalSoftmax(scores, 1 / Math.sqrt(keys.shape[3])); // [b, h, t, t]
    const context = this.dropout.forward(weights).matmul(values); // [b, h, t, dOut/h]

    const joined = context.transpose(1, 2).flatten(2); // [b, t, h, dOut/h] → [b, t, dOut]
    return this.outProj.forward(joined); // [b, t, dOut]
  }

  /** [b, t, dOut] → [b, h, t, dOut/h]: a view, nothing is copied. */
  private splitHeads(x: Tensor): Tensor {
    const [batch, tokens, width] = x.shape;
    return x.view(batch, tokens, this.numHeads, width / this.numHeads).transpose(1, 2);
  }
}
