import { cat, F, nn, ones, type Tensor, UserError } from '../../../lib/index.ts';
import type { AttentionOptions, Past } from '../../chapter03/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { RMSNorm } from './01-rms-norm.ts';
import { type Rotations, rotate } from './02-rope.ts';
import { headDimOf, type LlamaConfig } from './config.ts';

/**
 * Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245). In GPT-2 every head has queries, keys
 * and values of its own. Here several heads of queries share one head of keys and values, which is what has to be kept
 * while text is generated: a third of it in SmolLM2, for nearly the same quality.
 *
 *      chapter 3            q q q  q q q  q q q        Llama     q q q   q q q   q q q
 *                           │ │ │  │ │ │  │ │ │                  ╰─┼─╯   ╰─┼─╯   ╰─┼─╯
 *                           k k k  k k k  k k k                    k       k       k
 *
 * With as many heads of keys as of queries it is chapter 3's attention. Two more differences: queries and keys are
 * turned by their position (02-rope.ts), and no projection has a bias. What later families add is off unless the
 * configuration says it: norms of queries and keys, another divisor of the scores, a window.
 */
export class GroupedQueryAttention extends nn.Module {
  static override readonly stateNames = { wQuery: 'W_query', wKey: 'W_key', wValue: 'W_value' };

  wQuery: nn.Linear;
  wKey: nn.Linear;
  wValue: nn.Linear;
  outProj: nn.Linear;
  /** Norms of the numbers of a head, in models that have them (`qkNorm`). */
  qNorm: RMSNorm | null;
  kNorm: RMSNorm | null;
  readonly numHeads: number;
  readonly numKvHeads: number;
  /** Scores are multiplied by it. */
  readonly scoreScale: number;
  /** How many tokens each sees, itself among them. */
  readonly window: number | undefined;

  /** @throws UserError if the heads cannot be divided evenly */
  constructor(config: AttentionSizes) {
    super();
    const { embDim, nHeads, nKvHeads, normEps, normOffset, qkNorm = false } = config;
    const headDim = headDimOf(config);
    // Two numbers of a head are turned together.
    if (headDim % 2 !== 0 || nHeads % nKvHeads !== 0) {
      throw new UserError(
        `GroupedQueryAttention: ${embDim} dimensions, ${nHeads} heads of ${headDim} and ${nKvHeads} heads of keys cannot be divided evenly`,
      );
    }
    this.numHeads = nHeads;
    this.numKvHeads = nKvHeads;
    this.wQuery = new nn.Linear(embDim, nHeads * headDim, { bias: false });
    this.wKey = new nn.Linear(embDim, nKvHeads * headDim, { bias: false });
    this.wValue = new nn.Linear(embDim, nKvHeads * headDim, { bias: false });
    this.outProj = new nn.Linear(nHeads * headDim, embDim, { bias: false });
    this.qNorm = qkNorm ? new RMSNorm(headDim, normEps, normOffset) : null;
    this.kNorm = qkNorm ? new RMSNorm(headDim, normEps, normOffset) : null;
    this.scoreScale = 1 / Math.sqrt(config.queryScalar ?? headDim);
    this.window = config.window;
  }

  /** x [b, t, d] → [b, t, d]; with `lastOnly` [b, 1, d]. */
  forward(x: Tensor, turns: Rotations, { past, lastOnly, lengths }: LlamaOptions = {}): Tensor {
    const asking = lastOnly ? x.slice(1, -1) : x; // [b, t, d], or [b, 1, d]
    let queries = this.splitHeads(this.wQuery.forward(asking), this.numHeads); // [b, h, t, d/h]
    let keys = this.splitHeads(this.wKey.forward(x), this.numKvHeads); // [b, kv, t, d/h]
    if (this.qNorm && this.kNorm) {
      queries = this.qNorm.forward(queries);
      keys = this.kNorm.forward(keys);
    }
    const values = this.splitHeads(this.wValue.forward(x), this.numKvHeads); // [b, kv, t, d/h]
    if (!lengths) return this.outProj.forward(this.attend(queries, keys, values, turns, past));

    let first = 0;
    const contexts = lengths.map((length) => {
      const ofText = (y: Tensor) => y.narrow(2, first, length);
      const context = this.attend(ofText(queries), ofText(keys), ofText(values), turns); // [1, length, d]
      first += length;
      return context;
    });
    return this.outProj.forward(cat(contexts, 1));
  }

  /** Queries [b, h, t, d/h] of the last tokens, keys and values [b, kv, t, d/h] of all → what they gather, [b, t, d]. */
  private attend(q: Tensor, k: Tensor, v: Tensor, turns: Rotations, past?: Past): Tensor {
    const [batch, , tokens] = q.shape;
    const start = past?.length ?? 0;
    const end = start + k.shape[2]; // T
    const queries = rotate(q, turns, end - tokens); // [b, h, t, d/h]
    let [keys, values] = [rotate(k, turns, start), v]; // [b, kv, t, d/h]
    if (past) ({ keys, values } = past.append(keys, values, this.window)); // [b, kv, T, d/h]

    // The queries of a group, one below the other, meet their keys in one product: nothing is copied.
    const headDim = queries.shape[3];
    const group = this.numHeads / this.numKvHeads;
    const grouped = queries.reshape(batch, this.numKvHeads, group * tokens, headDim); // [b, kv, g·t, d/h]
    const scores = grouped.matmul(keys.transpose(2, 3)); // [b, kv, g·t, T]
    const byHead = scores.view(batch, this.numHeads, tokens, keys.shape[2]); // [b, h, t, T]
    const weights = F.causalSoftmax(this.hideDistant(byHead), this.scoreScale); // [b, h, t, T]
    const context = weights.view(scores.shape).matmul(values); // [b, kv, g·t, d/h]

    return context.view(batch, this.numHeads, tokens, headDim).transpose(1, 2).flatten(2); // [b, t, d]
  }

  /** −∞ for each key that has left the window of its query: scores [b, h, t, T] → the same, if there is a window. */
  private hideDistant(scores: Tensor): Tensor {
    const [tokens, seen] = scores.shape.slice(2);
    if (this.window === undefined || seen <= this.window) return scores;
    // Query i stands at T − t + i, and its window begins right of key i + T − t − window.
    const distant = ones(tokens, seen)
      .tril(seen - tokens - this.window)
      .bool(); // [t, T]
    return scores.maskedFill(distant, Number.NEGATIVE_INFINITY);
  }

  /** [b, t, h · n] → [b, h, t, n]: a view. */
  private splitHeads(x: Tensor, heads: number): Tensor {
    const [batch, tokens, width] = x.shape;
    return x.view(batch, tokens, heads, width / heads).transpose(1, 2);
  }
}

/** What attention has to know of a model. */
export type AttentionSizes = Pick<
  LlamaConfig,
  | 'embDim'
  | 'nHeads'
  | 'nKvHeads'
  | 'headDim'
  | 'normEps'
  | 'normOffset'
  | 'qkNorm'
  | 'queryScalar'
  | 'window'
>;

/** Chapter 3's options, and one more. */
export interface LlamaOptions extends AttentionOptions {
  /** x [1, Σ lengths, d] has several texts one behind another, each of which sees only itself. They have no past. */
  lengths?: readonly number[];
}

/** What a token leaves behind for those after it, with a head of keys for each head of queries and with fewer. */
export function showSharing(nb: Notebook, config: LlamaConfig): void {
  const { nHeads, nKvHeads, nLayers } = config;
  const kept = (heads: number) => (2 * nLayers * heads * headDimOf(config)).toLocaleString('en');
  nb.note(
    `Numbers kept for each token, in ${nLayers} blocks: ${kept(nHeads)} with ${nHeads} heads of keys and values`,
  );
  nb.note(`                                      ${kept(nKvHeads)} with ${nKvHeads}`);
}
