/** Chapter 5: how likely mini thinks each token next, with temperature and top-k. */

import { tokeniser } from '../../../chapters/chapter02/index.ts';
import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { keepTopK, softmaxWithTemperature } from '../../../chapters/chapter05/03-decoding.ts';
import { largest } from '../../../chapters/common/largest.ts';
import { noGrad, type Tensor, tensor } from '../../../lib/index.ts';
import { type Drawn, drawn, requireSome, visible } from './drawn.ts';
import type { InputOf } from './pictures.ts';

const BARS = 12;

/** The probabilities [v] of the next token as they are drawn from, and `plain` ones at temperature 1 among all. */
export function nextToken(
  model: GPTModel,
  { text, temperature, topK }: InputOf<'next'>,
): { chosen: Tensor; plain: Tensor } {
  return noGrad(() => {
    const ids = tokeniser.encode(text).slice(-model.config.contextLength);
    const logits = model.forward(tensor([ids], { dtype: 'int32' })).select(1, -1); // [1, t] → [1, v]
    const kept = keepTopK(logits, topK); // [1, v]
    const chosen = softmaxWithTemperature(kept, temperature).select(0, 0); // [v]
    return { chosen, plain: logits.softmax(-1).select(0, 0) };
  });
}

export function drawNext(model: GPTModel, input: InputOf<'next'>): Drawn {
  requireSome(input.text);
  const { chosen, plain } = nextToken(model, input);
  const { values, indices } = chosen.topk(BARS);
  const [shares, ids] = [values.toArray() as number[], indices.toArray() as number[]];
  const before = plain.toArray() as number[];
  const most = largest([...shares, ...ids.map((id) => before[id])]);
  const bars = ids.flatMap((id, i) => {
    if (shares[i] === 0) return [];
    const word = tokeniser.decode([id]);
    const bar = (share: number, name: string) =>
      drawn('span', { class: name, style: `width: ${((100 * share) / most).toFixed(2)}%` });
    const attributes = { type: 'button', 'data-set': 'text', 'data-value': input.text + word };
    return drawn(
      'li',
      {},
      drawn('button', attributes, drawn('span', { class: 'chip' }, visible(word))),
      drawn('span', { class: 'bars' }, bar(shares[i], 'bar'), bar(before[id], 'bar plain')),
      drawn('span', { class: 'share' }, `${(100 * shares[i]).toFixed(1)}%`),
    );
  });
  const sum = shares.reduce((total, share) => total + share, 0);
  return drawn(
    'div',
    {},
    drawn('ol', { class: 'next', 'aria-label': 'Next tokens' }, ...bars),
    drawn(
      'p',
      { role: 'status' },
      `These have ${(100 * sum).toFixed(1)}% together. With mini loaded, a click on a token appends it.`,
    ),
  );
}
