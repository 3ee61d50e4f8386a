import { UserError } from '../../lib/index.ts';
import { type Splitting, splitAsGpt2, splitAsSmolLM, splitOffDigits } from '../llama/model/06-tokeniser.ts';
import { inShort } from './settings.ts';

/**
 * How texts are cut before pairs are merged (the "pre-tokeniser" of a file). The steps are those of Hugging Face's
 * tokenizers that leave every character in its place, and patterns are known by their text: a pattern of another program's
 * kind cannot be translated without changing what it finds.
 */

const W = '\\p{White_Space}';
/** `(?i:'s|'t|…)` there, where ſ is an s too. */
const CONTRACTION = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const words = (digits: string) =>
  new RegExp(
    `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^${W}\\p{L}\\p{N}]+[\\r\\n]*|${W}*[\\r\\n]+|${W}+(?!\\P{White_Space})|${W}+`,
    'gu',
  );
const LLAMA3 = words('\\p{N}{1,3}');
const QWEN2 = words('\\p{N}');

/** Llama 3's pieces: the character before a word goes with it, and digits come in groups of up to three. */
export const splitAsLlama3: Splitting = (text) => text.match(LLAMA3) ?? [];
/** Qwen2's: the same, with each digit by itself. */
export const splitAsQwen2: Splitting = (text) => text.match(QWEN2) ?? [];

/** Patterns in `tokenizer.json`, as the files write them. */
const PATTERNS: Readonly<Record<string, Splitting>> = {
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+": splitAsGpt2,
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    splitAsLlama3,
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
    splitAsQwen2,
};

/** By the name that GGUF has for each (`tokenizer.ggml.pre`). Llama 3 takes a piece that is a token as it is. */
export const GGUF_SPLITTINGS: Readonly<Record<string, { split: Splitting; ignoreMerges?: boolean }>> = {
  'gpt-2': { split: splitAsGpt2 },
  smollm: { split: splitAsSmolLM },
  'llama-bpe': { split: splitAsLlama3, ignoreMerges: true },
  qwen2: { split: splitAsQwen2 },
};

type Step = Record<string, unknown>;

/**
 * The steps of a `pre_tokenizer` in `tokenizer.json` as one function.
 * @throws UserError that names a step or a setting that is not read here
 */
export function splittingFrom(preTokeniser: unknown, file: string): Splitting {
  const steps = flatten(preTokeniser, 'pretokenizers');
  const last = steps.at(-1);
  if (last?.type !== 'ByteLevel' || steps.slice(0, -1).some(({ type }) => type === 'ByteLevel'))
    throw new UserError(
      `pre_tokenizer of ${file} is ${inShort(preTokeniser ?? null)}: only byte-level encodings can be read, as GPT-2's`,
    );
  const cuts = steps.map((step) => splittingOf(step, file));
  return (text) =>
    cuts.reduce<readonly string[]>((pieces, cut) => pieces.flatMap(cut), text === '' ? [] : [text]);
}

/** Does a pre-tokeniser put a blank in front of each text that has none? The default of the key is yes there. */
export function addsPrefixSpace(preTokeniser: unknown): boolean {
  return flatten(preTokeniser, 'pretokenizers').at(-1)?.add_prefix_space !== false;
}

/** A step, or the steps of a sequence of them. */
export function flatten(step: unknown, list: string): Step[] {
  if (step === null || step === undefined) return [];
  const { type, [list]: steps } = step as Step;
  return type === 'Sequence' && Array.isArray(steps)
    ? steps.flatMap((each) => flatten(each, list))
    : [step as Step];
}

function splittingOf(step: Step, file: string): Splitting {
  const { type } = step;
  const refuse = () =>
    new UserError(`pre_tokenizer of ${file} has the step ${inShort(step)}, which is not read here`);
  const only = (...keys: string[]) => {
    if (Object.keys(step).some((key) => key !== 'type' && !keys.includes(key))) throw refuse();
  };
  if (type === 'ByteLevel') {
    only('add_prefix_space', 'trim_offsets', 'use_regex');
    const cut: Splitting = step.use_regex === false ? (text) => [text] : splitAsGpt2;
    return !addsPrefixSpace(step) ? cut : (text) => cut(text.startsWith(' ') ? text : ` ${text}`);
  }
  if (type === 'Digits') {
    only('individual_digits');
    return step.individual_digits === true ? splitOffDigits : splitOffNumbers;
  }
  if (type === 'Split') {
    only('pattern', 'behavior', 'invert');
    const pattern = step.pattern as Record<string, unknown> | undefined;
    const known = PATTERNS[String(pattern?.Regex)];
    // Each of these patterns finds every character of a text, so that only the pieces found are left.
    const keepsAll = step.behavior === 'Isolated' || (step.behavior === 'Removed' && step.invert === true);
    if (known && Object.hasOwn(PATTERNS, String(pattern?.Regex)) && keepsAll) return known;
  }
  throw refuse();
}

const NUMBER_OR_REST = /\p{N}+|\P{N}+/gu;
const splitOffNumbers: Splitting = (text) => text.match(NUMBER_OR_REST) ?? [];
