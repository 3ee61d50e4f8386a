import { UserError } from '../../lib/index.ts';
import { BytePairTokeniser, type Merge } from './09-byte-pair-encoding.ts';
import { asKey, END_OF_TEXT, gpt2TokenBytes } from './gpt2-vocabulary.ts';

/**
 * GPT-2's own merges for the tokeniser of the last section: read from the two files that OpenAI published, or, since
 * those are not ours to ship, worked out from the list of tokens that gpt-tokenizer has.
 */

/**
 * The list says which tokens there are and in which order they were learnt, but not of which two each was made.
 * That follows: with the merges learnt before it, its bytes become exactly two tokens.
 */
export function gpt2FromTokens(tokenBytes: readonly Uint8Array[] = gpt2TokenBytes()): BytePairTokeniser {
  const ids = new Map(tokenBytes.map((bytes, id) => [asKey(bytes), id]));
  const merges: Merge[] = [];
  for (let id = 256; id < tokenBytes.length; id++) {
    const parts = Array.from(tokenBytes[id], (byte) => Uint8Array.of(byte));
    while (parts.length > 2) {
      const at = earliestPair(parts, ids);
      parts.splice(at, 2, Uint8Array.from([...parts[at], ...parts[at + 1]]));
    }
    merges.push([ids.get(asKey(parts[0]))!, ids.get(asKey(parts[1]))!]);
  }
  return new BytePairTokeniser(
    merges,
    tokenBytes.slice(0, 256).map(([byte]) => byte),
  );
}

/** Where two neighbours stand that make the token of the lowest id. */
function earliestPair(parts: readonly Uint8Array[], ids: ReadonlyMap<string, number>): number {
  let at = -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i + 1 < parts.length; i++) {
    const id = ids.get(asKey(parts[i]) + asKey(parts[i + 1]));
    if (id !== undefined && id < lowest) [at, lowest] = [i, id];
  }
  if (at < 0) throw new UserError('a token of the list cannot be made of the tokens before it');
  return at;
}

/**
 * In GPT-2's files every byte is written as one visible character: itself where it is visible, and the others in
 * order as the characters from U+0100. (A space is Ġ, a line break Ċ.)
 */
export function visibleBytes(): Map<string, number> {
  const visible = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const shown = all.filter(visible);
  const hidden = all.filter((byte) => !visible(byte));
  return new Map([
    ...shown.map((byte): [string, number] => [String.fromCodePoint(byte), byte]),
    ...hidden.map((byte, n): [string, number] => [String.fromCodePoint(0x100 + n), byte]),
  ]);
}

/**
 * From the contents of `vocab.bpe` (a merge a line) and `encoder.json` (token → id).
 * @throws UserError if they do not belong together
 */
export function gpt2FromFiles(vocabBpe: string, encoderJson: string): BytePairTokeniser {
  const ids = parseEncoder(encoderJson);
  const bytes = visibleBytes();
  const order = [...bytes.keys()].sort((a, b) => ids.get(a)! - ids.get(b)!).map((char) => bytes.get(char)!);
  const lines = vocabBpe.split('\n').filter((line) => line !== '' && !line.startsWith('#version'));
  const merges = lines.map((line, n): Merge => {
    const [left, right, ...rest] = line.split(' ');
    const merge = [ids.get(left), ids.get(right)];
    if (rest.length > 0 || merge.includes(undefined) || ids.get(left + right) !== 256 + n) {
      throw new UserError(`vocab.bpe and encoder.json do not belong together: merge ${n + 1} is “${line}”`);
    }
    return merge as [number, number];
  });
  return new BytePairTokeniser(merges, order);
}

/** The contents of `vocab.bpe` and `encoder.json`, worked out from the list of tokens: what `gpt2FromFiles` reads. */
export function gpt2Files(): { vocabBpe: string; encoderJson: string } {
  const { merges } = gpt2FromTokens();
  const visible = new Map(Array.from(visibleBytes(), ([char, byte]) => [byte, char]));
  const tokens = gpt2TokenBytes().map((bytes) => Array.from(bytes, (byte) => visible.get(byte)).join(''));
  const lines = merges.map(([left, right]) => `${tokens[left]} ${tokens[right]}`);
  return {
    vocabBpe: `#version: 0.2\n${lines.join('\n')}\n`,
    encoderJson: JSON.stringify(Object.fromEntries([...tokens, END_OF_TEXT].map((token, id) => [token, id]))),
  };
}

function parseEncoder(encoderJson: string): Map<string, number> {
  let parsed: Record<string, number>;
  try {
    parsed = JSON.parse(encoderJson);
  } catch {
    throw new UserError('encoder.json is not JSON: it may be cut short, so get it again');
  }
  const ids = new Map(Object.entries(parsed));
  if (!ids.has(END_OF_TEXT)) throw new UserError(`encoder.json lacks ${END_OF_TEXT}: is it GPT-2's?`);
  return ids;
}
