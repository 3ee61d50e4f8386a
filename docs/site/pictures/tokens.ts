/** Chapter 2: the tokens of a text, and how one piece of it is merged from bytes. */

import { mergePair } from '../../../chapters/chapter02/09-byte-pair-encoding.ts';
import { gpt2FromTokens } from '../../../chapters/chapter02/gpt2-merges.ts';
import { gpt2TokenBytes, tokeniser } from '../../../chapters/chapter02/index.ts';
import { PIECES } from '../../../chapters/chapter02/pieces.ts';
import { type Drawn, drawn, requireSome, visible } from './drawn.ts';
import type { InputOf } from './pictures.ts';

/** The tokens of a piece, each as its bytes, after a merge; which one it was of GPT-2's 50,000, or 0 for none yet. */
export interface Step {
  tokens: readonly Uint8Array[];
  merge: number;
}

const asKey = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
let keys: readonly string[] | undefined;

/**
 * One piece on its way from bytes to tokens. Only those of GPT-2's tokens matter that the piece contains: section 9's
 * tokeniser is made of these, in their order, which takes no time.
 */
export function stepsOf(piece: string): Step[] {
  const all = gpt2TokenBytes();
  keys ??= all.map(asKey);
  const whole = asKey(new TextEncoder().encode(piece));
  const ids = [...keys.keys()].filter((id) => id < 256 || whole.includes(keys![id]));
  const { merges, tokenBytes, ...bpe } = bpeOf(ids.map((id) => all[id]));
  let now = bpeOf(all.slice(0, 256)).encode(piece);
  const steps: Step[] = [{ tokens: now.map((id) => tokenBytes[id]), merge: 0 }];
  for (const merged of madeBy(bpe.encode(piece), merges)) {
    const [left, right] = merges[merged - 256];
    now = mergePair(now, left, right, merged);
    steps.push({ tokens: now.map((id) => tokenBytes[id]), merge: ids[merged] - 255 });
  }
  return steps;
}

function bpeOf(tokens: readonly Uint8Array[]) {
  const bpe = gpt2FromTokens(tokens);
  return {
    merges: bpe.merges,
    tokenBytes: bpe.tokenBytes,
    encode: (piece: string) => bpe.encodePiece(piece),
  };
}

/** The merges that tokens are made by, in their order: a token's own, and those of its two parts. */
function madeBy(ids: readonly number[], merges: readonly (readonly [number, number])[]): number[] {
  const made = new Set<number>();
  const take = (id: number): void => {
    if (id < 256) return;
    made.add(id);
    for (const part of merges[id - 256]) take(part);
  };
  for (const id of ids) take(id);
  return [...made].sort((a, b) => a - b);
}

export function drawTokens({ text, piece }: InputOf<'tokens'>): Drawn {
  requireSome(text);
  const pieces = text.match(PIECES) ?? [];
  const chosen = Math.min(piece < 0 ? pieces.length - 1 : piece, pieces.length - 1);
  const total = pieces.reduce((sum, each) => sum + tokeniser.encode(each).length, 0);
  const chips = pieces.map((each, i) => {
    const tokens = tokeniser.encode(each).map((id) => chip(gpt2TokenBytes()[id], id));
    const attributes = { type: 'button', 'data-set': 'piece', 'data-value': i };
    return drawn('button', { ...attributes, 'aria-pressed': String(i === chosen) }, ...tokens);
  });
  const steps = stepsOf(pieces[chosen]).map(({ tokens, merge }) =>
    drawn('li', {}, ...tokens.map((bytes) => chip(bytes)), merge > 0 ? ` merge ${merge}` : ' the bytes'),
  );
  return drawn(
    'div',
    {},
    drawn('p', { role: 'status' }, `${text.length} characters, ${pieces.length} pieces, ${total} tokens`),
    drawn('div', { class: 'chips', role: 'group', 'aria-label': 'Tokens' }, ...chips),
    drawn('p', {}, `How “${visible(pieces[chosen])}” is merged:`),
    drawn('ol', { class: 'chips', 'aria-label': 'Merges' }, ...steps),
  );
}

/** A token: its text, or its bytes where these are no text by themselves; with its id, and how many bytes it has. */
function chip(bytes: Uint8Array, id?: number): Drawn {
  const text = new TextDecoder().decode(bytes);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const shown = text.includes('�') ? hex : visible(text);
  if (id === undefined) return drawn('span', { class: 'chip', title: hex }, shown);
  return drawn('span', { class: 'chip', title: hex }, shown, drawn('small', {}, `${id} · ${bytes.length} B`));
}
