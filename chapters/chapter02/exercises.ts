import { arange, cat, type Tensor } from '../../lib/index.ts';
import { largest } from '../common/largest.ts';
import type { Tokeniser } from './05-gpt2-tokeniser.ts';
import type { BytePairTokeniser } from './09-byte-pair-encoding.ts';

/** Solutions to the exercises of this chapter's README. */

/** 1. Does a tokeniser give a text back as it was? What is encoded and decoded must be the text again. */
export function survives(text: string, tokeniser: Pick<Tokeniser, 'encode' | 'decode'>): boolean {
  return tokeniser.decode(tokeniser.encode(text)) === text;
}

/**
 * 2. How many bytes of a text one token holds: the more, the better the vocabulary fits the text. `TextEncoder`
 * gives a text's bytes in UTF-8.
 */
export function bytesPerToken(text: string, tokeniser: Pick<Tokeniser, 'encode'>): number {
  return new TextEncoder().encode(text).length / tokeniser.encode(text).length;
}

/**
 * 3. How many pieces the sliding window cuts from a text of that many tokens. A piece needs maxLength tokens and
 * one more for the last target.
 */
export function countWindows(tokens: number, maxLength: number, stride: number): number {
  // A piece may begin at 0, stride, 2 · stride … as long as maxLength tokens and one more follow.
  return Math.max(0, Math.ceil((tokens - maxLength) / stride));
}

/**
 * 4. How a word is put together, merge by merge: the tokens it consists of before and after each. Undo the merge
 * with the highest id, again and again, and read the steps backwards.
 */
export function mergeSteps(word: string, tokeniser: BytePairTokeniser): string[][] {
  const show = (ids: readonly number[]) => ids.map((id) => tokeniser.decode([id]));
  let ids: readonly number[] = tokeniser.encodePiece(word);
  const steps = [show(ids)];
  // Merges are done in the order of their ids, so the highest id was made last: undo it, until bytes are left.
  for (let last = largest(ids); last >= 256; last = largest(ids)) {
    ids = ids.flatMap((id) => (id === last ? tokeniser.merges[last - 256] : [id]));
    steps.unshift(show(ids));
  }
  return steps;
}

/**
 * 5. Positions without learning: sines and cosines of wavelengths from 2π to 10,000 · 2π (Vaswani et al. 2017,
 * https://arxiv.org/abs/1706.03762, section 3.5). [contextLength, dim]; dim has to be even. Each pair of columns
 * turns like a hand of a clock, so going k positions on is the same rotation wherever you start: a linear layer can
 * read off a distance.
 */
export function sinusoidalPositions(contextLength: number, dim: number): Tensor {
  const position = arange(contextLength).float().unsqueeze(1); // [t, 1]
  const pair = arange(dim / 2).float(); // [dim/2]
  const frequency = pair.mul((-2 / dim) * Math.log(10_000)).exp(); // [dim/2]
  const angle = position.mul(frequency); // [t, 1] · [dim/2] → [t, dim/2]
  const pairs = cat([angle.sin().unsqueeze(2), angle.cos().unsqueeze(2)], 2); // [t, dim/2, 2]
  return pairs.flatten(1); // [t, dim]: sine, cosine, sine, cosine …
}
