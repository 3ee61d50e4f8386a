import { cat, F, manualSeed, nn, type Tensor, tensor, UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { CausalAttention, printContext } from './05-causal-attention.ts';

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
      throw new UserError(`MultiHeadAttention: ${dOut} dimensions cannot be divided among ${numHeads} heads`);
    }
    this.contextLength = contextLength;
    this.numHeads = numHeads;
    this.wQuery = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wKey = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.wValue = new nn.Linear(dIn, dOut, { bias: qkvBias });
    this.outProj = new nn.Linear(dOut, dOut);
    this.dropout = new nn.Dropout(dropout);
  }

  /** x [b, t, dIn] → [b, t, dOut]. The options are not the book's: they stand below the class. */
  forward(x: Tensor, options: AttentionOptions = {}): Tensor {
    const { queries, keys, values } = this.project(x, options); // [b, t, dIn] → [b, h, t, dOut/h] each
    const weights = this.weights(queries, keys, options); // [b, h, t, t]
    const context = this.dropout.forward(weights).matmul(values); // [b, h, t, t] · [b, h, t, dOut/h]
    const joined = context.transpose(1, 2).flatten(2); // [b, t, h, dOut/h] → [b, t, dOut]
    return this.outProj.forward(joined); // [b, t, dOut]
  }

  /**
   * The queries, keys and values of all heads: x [b, t, dIn] → [b, h, t, dOut/h] each.
   * @throws if t is more than contextLength
   */
  project(x: Tensor, { past, lastOnly }: AttentionOptions = {}): Heads {
    const tokens = (past?.length ?? 0) + x.shape[1];
    if (tokens > this.contextLength) {
      throw new UserError(
        `MultiHeadAttention: ${tokens} tokens are more than the ${this.contextLength} it is for`,
      );
    }
    const asking = lastOnly ? x.slice(1, -1) : x; // [b, t, dIn], or [b, 1, dIn]
    const queries = this.splitHeads(this.wQuery.forward(asking)); // [b, h, t, dOut/h]
    const keys = this.splitHeads(this.wKey.forward(x)); // [b, h, t, dOut/h]
    const values = this.splitHeads(this.wValue.forward(x)); // [b, h, t, dOut/h]
    return past ? { queries, ...past.append(keys, values) } : { queries, keys, values };
  }

  /** How much each token takes from each: queries and keys [b, h, t, dOut/h] → [b, h, t, t], each row of sum 1. */
  weights(queries: Tensor, keys: Tensor, { lastOnly }: AttentionOptions = {}): Tensor {
    const scores = queries.matmul(keys.transpose(2, 3)); // [b, h, t, dOut/h] · [b, h, dOut/h, t] → [b, h, t, t]
    const root = Math.sqrt(keys.shape[3]);
    if (lastOnly) return scores.div(root).softmax(-1); // the last token sees all: there is nothing to hide
    // Scaling, mask and softmax of the earlier sections in one pass.
    return F.causalSoftmax(scores, 1 / root);
  }

  /** [b, t, dOut] → [b, h, t, dOut/h]: a view, nothing is copied. */
  private splitHeads(x: Tensor): Tensor {
    const [batch, tokens, width] = x.shape;
    return x.view(batch, tokens, this.numHeads, width / this.numHeads).transpose(1, 2);
  }
}

/** What goes into the three lines of attention, each [b, h, t, d], d being the width of a head. */
export interface Heads {
  queries: Tensor;
  keys: Tensor;
  values: Tensor;
}

/** Two ways to leave out work that changes no result. They are an addition to the book. */
export interface AttentionOptions {
  /**
   * The keys and values of the T − t tokens before x, which need not be computed again (chapter 4, section 8). Those of x
   * join them, and the t tokens of x attend to all T: the weights are [b, h, t, T].
   */
  past?: Past;
  /** Only the last token asks, so the result is [b, 1, dOut] (chapter 6, section 9). */
  lastOnly?: boolean;
}

/** Where the keys and values of earlier tokens are kept. */
export interface Past {
  /** How many tokens there are so far. */
  readonly length: number;
  /**
   * Adds those of t more tokens, each [b, h, t, d], and returns those of all T, [b, h, T, d].
   * @param window if a token sees only this many, itself among them, those that none of the t sees can be left out
   */
  append(keys: Tensor, values: Tensor, window?: number): { keys: Tensor; values: Tensor };
}

/** Two heads, one after the other: batch [2, 6, 3] → [2, 6, 4]. */
export function showWrapper(nb: Notebook, batch: Tensor): void {
  manualSeed(123);
  printContext(nb, 127, new MultiHeadAttentionWrapper(3, 2, 0, 2).forward(batch));
}

/** Two heads at once, and the batched product that makes it possible. */
export function showMultiHeadAttention(nb: Notebook, batch: Tensor): void {
  manualSeed(123);
  printContext(nb, 131, new MultiHeadAttention(3, 2, 6, 0, 2).forward(batch));
  const heads = tensor([
    [
      [
        [0.2745, 0.6584, 0.2775, 0.8573],
        [0.8993, 0.039, 0.9268, 0.7388],
        // biome-ignore lint/suspicious/noApproximativeNumericConstant: a made-up number that happens to be near one
        [0.7179, 0.7058, 0.9156, 0.434],
      ],
      [
        [0.0772, 0.3565, 0.1479, 0.5331],
        [0.4066, 0.2318, 0.4545, 0.9737],
        [0.4606, 0.5159, 0.422, 0.5786],
      ],
    ],
  ]); // [1, 2, 3, 4]: one text, two heads, three tokens, four dimensions
  nb.print(138, heads.matmul(heads.transpose(2, 3))); // [1, 2, 3, 3]: both heads in one call
  const [first, second] = [0, 1].map((head) => heads.index(0, head)); // [3, 4]
  nb.print(140, `First head:\n ${first.matmul(first.T)}`);
  nb.print(140, `\nSecond head:\n ${second.matmul(second.T)}`);
}
