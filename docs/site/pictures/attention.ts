/** Chapter 3: what one head of mini makes of a sentence: scores, weights and context, row by row. */

import { tokeniser } from '../../../chapters/chapter02/index.ts';
import { maskFuture } from '../../../chapters/chapter03/05-causal-attention.ts';
import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { noGrad, type Tensor, tensor } from '../../../lib/index.ts';
import { largest } from '../client/draw.ts';
import { type Drawn, drawn, heatMap, requireSome, visible } from './drawn.ts';
import type { InputOf } from './pictures.ts';

/** As many as fit side by side on a phone. */
const MOST_TOKENS = 16;

export interface Head {
  /** [t, t] */
  scores: Tensor;
  /** [t, t], each row sums to 1 */
  weights: Tensor;
  /** [t, d/h] */
  context: Tensor;
}

/** The head of that number in the block of that number, both counted from 0, as in section 5: ids of t tokens. */
export function headOf(
  model: GPTModel,
  ids: readonly number[],
  block: number,
  head: number,
  mask: boolean,
): Head {
  return noGrad(() => {
    let x = model.embed(tensor([ids], { dtype: 'int32' })); // [1, t] → [1, t, d]
    const blocks = [...model.trfBlocks];
    for (const before of blocks.slice(0, block)) x = before.forward(x); // [1, t, d]
    const { att, norm1 } = blocks[block];
    const { queries, keys, values } = att.project(norm1.forward(x)); // [1, h, t, d/h] each
    const [q, k, v] = [queries, keys, values].map((all) => all.index(0, head)); // [t, d/h] each
    const all = q.matmul(k.T).div(Math.sqrt(k.shape[1])); // [t, d/h] · [d/h, t] → [t, t]
    const scores = mask ? maskFuture(all) : all;
    const weights = scores.softmax(-1); // [t, t]
    return { scores, weights, context: weights.matmul(v) }; // [t, t] · [t, d/h] → [t, d/h]
  });
}

export function drawAttention(model: GPTModel, { text, block, head, mask }: InputOf<'attention'>): Drawn {
  requireSome(text);
  const ids = tokeniser.encode(text).slice(0, MOST_TOKENS);
  const words = ids.map((id) => visible(tokeniser.decode([id])));
  const { scores, weights, context } = headOf(model, ids, Number(block) - 1, Number(head) - 1, mask);
  const rows = weights.toArray() as number[][];
  const buttons = words.map((word, i) => {
    const attributes = { type: 'button', 'data-link': i, 'data-says': sentence(words, rows[i], i) };
    return drawn('button', attributes, drawn('span', { class: 'chip' }, word));
  });
  const finite = Float32Array.from((scores.toFlatArray() as number[]).filter(Number.isFinite));
  const limit = largest(Float32Array.from(context.toFlatArray() as number[]));
  return drawn(
    'div',
    {},
    drawn('div', { class: 'chips', role: 'group', 'aria-label': 'Tokens, one a row' }, ...buttons),
    drawn('p', { class: 'said', role: 'status' }, sentence(words, rows.at(-1)!, words.length - 1)),
    drawn(
      'div',
      { class: 'maps' },
      heatMap('Scores', scores, largest(finite), 14),
      heatMap('Weights', weights, 1, 14),
      heatMap('Context', context, limit, 7),
    ),
  );
}

/** What a token takes most of. */
function sentence(words: readonly string[], weights: readonly number[], i: number): string {
  const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a]).slice(0, 4);
  const parts = order
    .filter((j) => weights[j] > 0)
    .map((j) => `${(100 * weights[j]).toFixed(0)}% from “${words[j]}”`);
  return `“${words[i]}” takes ${parts.join(', ')}`;
}
