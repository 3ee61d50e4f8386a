import { io, UserError } from '../../lib/index.ts';
import { BLANK, ranksByMerges, SentencePieceTokeniser } from '../gemma/model/05-sentence-piece.ts';
import { BpeTokeniser } from '../llama/model/06-tokeniser.ts';
import type { AddedToken } from '../llama/model/added-tokens.ts';
import type { FileTokeniser } from '../llama/model/file-tokeniser.ts';
import { inShort, Settings } from './settings.ts';
import { type ListedToken, listedToken, type TokensBeside } from './special-tokens.ts';
import { addsPrefixSpace, flatten, splittingFrom } from './splitting.ts';

/**
 * The tokeniser of a folder of the hub: `tokenizer.json`, the format of Hugging Face's tokenizers, of which byte pair
 * encoding is read, on bytes (GPT-2's kind) or on characters with bytes as a last resort (SentencePiece's). Every part of it is used, or refused by name: the result is tokenizers' own ids, or a line.
 *
 * @param beside tokens that the files beside it name or list again
 * @param settings `tokenizer_config.json`; where it says again what is said here, it has to say the same
 */
export function tokeniserFromJson(
  folder: io.Folder,
  file: string,
  beside: TokensBeside,
  settings: Settings,
): FileTokeniser {
  const name = io.nameIn(folder, file);
  const json = new Settings(io.readJsonIn(folder, file, 'the tokeniser'), name);
  json.only('version', '1.0');
  json.only('truncation', null);
  refusePadding(json);
  const [normaliser, preTokeniser] = [json.value('normalizer'), json.value('pre_tokenizer')];
  const decoder = json.value('decoder');
  const added = joined(addedTokensFrom(json.list('added_tokens') ?? [], name), beside);
  const model = json.inside('model');
  if (!model) throw new UserError(`${name} has no model: get it again`);
  const start = startFrom(json.value('post_processor'), name);
  json.finish();

  const { ids, tokens, merges } = vocabularyFrom(model);
  checkIds(added, ids, name);
  for (const { id, text } of added) ids.set(text, id);
  const { named } = beside;
  // What the settings call by name is special, even where the list of added tokens leaves it out.
  for (const text of new Set(Object.values(named))) {
    const id = ids.get(text);
    if (id !== undefined && !added.some((token) => token.text === text))
      added.push({ id, text, special: true, normalised: false });
  }
  model.only('dropout', null, 0);
  model.only('continuing_subword_prefix', null, '');
  model.only('end_of_word_suffix', null, '');
  const common = (normalise: (text: string) => string = (text) => text) => ({
    ...{ tokens, named, start, normalise },
    added: added.filter(({ normalised }) => !normalised),
    // Their own text is normalised too: it is looked for in a text that was.
    addedToNormalised: added
      .filter(({ normalised }) => normalised)
      .map((token) => ({ ...token, text: normalise(token.text) })),
  });
  if (model.flag('byte_fallback', false)) {
    checkSentencePiece({ normalizer: normaliser, pre_tokenizer: preTokeniser, decoder }, name);
    settings.only('add_prefix_space', false, null);
    model.only('ignore_merges', false);
    model.harmless(['unk_token', 'fuse_unk']); // no character is unknown where each byte has a token
    model.finish();
    const isByte = (token: string) => /^<0x[0-9A-F]{2}>$/.test(token);
    const ofBytes = merges.find((merge) => merge.split(' ').some(isByte));
    if (ofBytes)
      throw new UserError(`${name} has the merge ${inShort(ofBytes)}, of bytes, which is not read here`);
    return new SentencePieceTokeniser({
      ...common((text) => text.replaceAll(' ', BLANK)),
      rankOf: ranksByMerges(merges),
    });
  }
  const ignoreMerges = model.flag('ignore_merges', false);
  const unknown = unknownFrom(model, ids);
  model.finish();
  checkDecoder(decoder, name);
  settings.only('add_prefix_space', addsPrefixSpace(preTokeniser), null);
  const split = splittingFrom(preTokeniser, name);
  return new BpeTokeniser({
    ...common(normalisingFrom(normaliser, name)),
    ...{ merges, split, ignoreMerges, unknown },
  });
}

/** The three steps that make a tokenizer of tokenizers SentencePiece's, as transformers saves Gemma's. */
const SENTENCE_PIECE = {
  normalizer: [{ type: 'Replace', pattern: { String: ' ' }, content: BLANK }],
  // There is no blank left that it could split at.
  pre_tokenizer: [{ type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false }],
  decoder: [
    { type: 'Replace', pattern: { String: BLANK }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ],
};

/** @throws UserError for another step */
function checkSentencePiece(
  given: Readonly<Record<keyof typeof SENTENCE_PIECE, unknown>>,
  file: string,
): void {
  const lists = { normalizer: 'normalizers', pre_tokenizer: 'pretokenizers', decoder: 'decoders' } as const;
  for (const key of ['normalizer', 'pre_tokenizer', 'decoder'] as const) {
    const steps = flatten(given[key], lists[key]);
    const isThere =
      isDeepEqual(steps, SENTENCE_PIECE[key]) || (key === 'pre_tokenizer' && steps.length === 0);
    if (isThere) continue;
    throw new UserError(
      `${key} of ${file} is ${inShort(given[key] ?? null)}: with byte_fallback only SentencePiece's can be read, as Gemma's`,
    );
  }
}

/** The same JSON, in whatever order its keys are. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  const inOrder = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
      : value;
  return JSON.stringify(a, inOrder) === JSON.stringify(b, inOrder);
}

function unknownFrom(
  model: Settings,
  ids: ReadonlyMap<string, number>,
): { id: number; fuse: boolean } | undefined {
  const fuse = model.flag('fuse_unk', false);
  const text = model.text('unk_token');
  if (text === undefined) return undefined;
  const id = ids.get(text);
  if (id === undefined) throw model.fault('unk_token', 'one of the tokens is expected');
  return { id, fuse };
}

function vocabularyFrom(model: Settings): {
  ids: Map<string, number>;
  tokens: string[];
  merges: string[];
} {
  const type = model.text('type');
  if (type !== 'BPE' && type !== undefined)
    throw model.fault('type', 'only "BPE", byte pair encoding, can be read');
  const vocab = model.value('vocab');
  const merges = model.list('merges');
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab) || !merges)
    throw new UserError(`${model.name} is not a byte pair encoding: it has no vocab and merges`);
  const entries = Object.entries(vocab);
  const tokens: string[] = [];
  for (const [token, id] of entries) {
    // A hole or two are allowed; an id of a milliard would be a list of a milliard.
    if (!(Number.isInteger(id) && id >= 0 && id < 2 * entries.length + 1_000_000))
      throw new UserError(`${model.name} has the id ${inShort(id)} for ${inShort(token)}: get it again`);
    if (tokens[id] !== undefined)
      throw new UserError(`${model.name} has two tokens of the id ${id}: get it again`);
    tokens[id] = token;
  }
  return {
    ids: new Map(entries),
    tokens,
    merges: merges.map((merge) => mergeFrom(merge, model.name)),
  };
}

/** `"left right"`, or `["left", "right"]` in newer files. */
function mergeFrom(merge: unknown, file: string): string {
  const pair = typeof merge === 'string' ? merge.split(' ') : merge;
  const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
  // In bytes that are written as visible characters there are no blanks.
  if (!isPair || pair.some((part) => part === '' || part.includes(' ')))
    throw new UserError(`${file} has the merge ${inShort(merge)}: two tokens are expected`);
  return pair.join(' ');
}

function addedTokensFrom(list: readonly unknown[], file: string): ListedToken[] {
  return list.map((each) => {
    const token = new Settings(Object(each), `the added token ${inShort(each)} of ${file}`);
    return listedToken(token, token.number('id'));
  });
}

/**
 * Folders of transformers 4 list the added tokens a second time, and how they are looked for counts there. One that is special
 * here stays so.
 * @throws UserError if one is listed there that is not here
 */
function joined(added: readonly ListedToken[], beside: TokensBeside): ListedToken[] {
  const texts = new Map(added.map(({ id, text }) => [id, text]));
  const again = new Map(beside.added.map((token) => [token.id, token]));
  for (const [id, { text }] of again)
    if (texts.get(id) !== text)
      throw new UserError(
        `${beside.addedIn} has ${inShort(text)} as token ${id}, and tokenizer.json has not: ` +
          'save the tokeniser anew with transformers',
      );
  return added.map((token) => {
    const listed = beside.isOlder ? undefined : again.get(token.id);
    return listed ? { ...listed, special: listed.special || token.special } : token;
  });
}

/**
 * tokenizers numbers added tokens itself: as the vocabulary has them, or else behind all others, in their order.
 * @throws UserError if the file has another number, which would not be believed there
 */
export function checkIds(added: readonly AddedToken[], ids: ReadonlyMap<string, number>, file: string): void {
  let largest = -1;
  for (const { id, text } of added) {
    const expected = ids.get(text) ?? Math.max(largest + 1, ids.size);
    if (id !== expected)
      throw new UserError(
        `${file} has the added token ${inShort(text)} as ${id}, where tokenizers would make it ${expected}: save it anew`,
      );
    largest = Math.max(largest, id);
  }
}

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'];

/** @throws UserError for another step than Unicode's own forms */
function normalisingFrom(normaliser: unknown, file: string): ((text: string) => string) | undefined {
  const steps = flatten(normaliser, 'normalizers');
  for (const step of steps) {
    if (!FORMS.includes(String(step.type)) || Object.keys(step).length > 1)
      throw new UserError(`normalizer of ${file} has the step ${inShort(step)}, which is not read here`);
  }
  if (steps.length === 0) return undefined;
  return (text) => steps.reduce((done, { type }) => done.normalize(String(type)), text);
}

/** Bytes are written as visible characters in the vocabulary, and only this decoder writes them back. */
function checkDecoder(decoder: unknown, file: string): void {
  const steps = flatten(decoder, 'decoders');
  if (steps.length === 1 && steps[0].type === 'ByteLevel') return;
  throw new UserError(`decoder of ${file} is ${inShort(decoder ?? null)}: only ByteLevel can be read`);
}

/** What is put in front of a text for the model. `encode` adds no special token. */
function startFrom(processor: unknown, file: string): number[] {
  const start: number[] = [];
  for (const step of flatten(processor, 'processors')) {
    if (step.type !== 'ByteLevel' && step.type !== 'TemplateProcessing')
      throw new UserError(`post_processor of ${file} has the step ${inShort(step)}, which is not read here`);
    if (step.type === 'ByteLevel') continue;
    const { single = [], special_tokens: ids = {} } = step as {
      single?: { SpecialToken?: { id: string } }[];
      special_tokens?: Record<string, { ids?: number[] }>;
    };
    for (const { SpecialToken: token } of single) {
      if (!token) break; // the text
      start.push(...(ids[token.id]?.ids ?? []));
    }
  }
  return start;
}

/** Padding to the longest of a batch changes nothing for one text. */
function refusePadding(json: Settings): void {
  const padding = json.inside('padding');
  if (!padding) return;
  padding.only('strategy', 'BatchLongest');
  padding.only('pad_to_multiple_of', null);
  padding.harmless(['direction', 'pad_id', 'pad_type_id', 'pad_token']);
  padding.finish();
}
