import { io, UserError } from '../../lib/index.ts';
import type { AddedToken } from '../llama/model/added-tokens.ts';
import type { FileTokeniser } from '../llama/model/file-tokeniser.ts';
import { Settings } from './settings.ts';

/** An added token as files list it. Is it looked for in a text that was normalised? */
export type ListedToken = AddedToken & { normalised: boolean };

/** Tokens that the files beside a tokeniser name, or add to it. */
export interface TokensBeside {
  /** The tokens that templates call by name: `bos_token`, `eos_token`. */
  named: Readonly<Record<string, string>>;
  /** In the order of their numbers. */
  added: readonly ListedToken[];
  /** What lists the added ones, for messages. */
  addedIn: string;
  /** Does only the number count there of a token that the tokeniser's own file has too? */
  isOlder: boolean;
  /** @throws UserError if a token is special there that is none of the tokeniser's */
  check(tokeniser: FileTokeniser): void;
}

/**
 * Reads them as transformers does (`_from_pretrained` of its tokenization_utils_base.py): `tokenizer_config.json` has them; where it
 * does not list the added tokens, special_tokens_map.json and added_tokens.json of older folders count too.
 * @throws UserError that names a token, or a key, that cannot be used
 */
export function tokensBeside(folder: io.Folder, settings: Settings): TokensBeside {
  const list = settings.value('added_tokens_decoder');
  const older = (file: string, what: string): Settings | undefined =>
    list === undefined && folder.has(file)
      ? new Settings(io.readJsonIn(folder, file, what), io.nameIn(folder, file))
      : undefined;
  const map = older('special_tokens_map.json', 'the special tokens');
  const named = { ...namedTokens(settings), ...(map && namedTokens(map)) };
  const check = (tokeniser: FileTokeniser) => map && checkMore(map, tokeniser);
  const ids = older('added_tokens.json', 'the added tokens');
  const unnamed = [...moreTokens(settings), ...(map ? moreTokens(map, ['extra_special_tokens']) : [])];
  const special = new Set([...Object.values(named), ...unnamed]);
  const added = ids ? tokensByText(ids, special) : listedTokens(settings);
  added.sort((a, b) => a.id - b.id);
  const addedIn = ids?.name ?? `added_tokens_decoder of ${settings.name}`;
  return { named, added, addedIn, isOlder: ids !== undefined, check };
}

/** Tokens that `tokenizer_config.json` names, and templates call by these names. */
const NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

function namedTokens(settings: Settings): Record<string, string> {
  const named: Record<string, string> = {};
  const extra = settings.value('extra_special_tokens');
  const more = typeof extra === 'object' && !Array.isArray(extra) ? Object.entries(extra as object) : [];
  for (const [name, value] of [...NAMES.map((each) => [each, settings.value(each)] as const), ...more]) {
    const text = textOf(value);
    if (typeof text === 'string') named[name] = text;
    else if (text !== undefined && text !== null) throw settings.fault(name, 'a token is expected');
  }
  return named;
}

/** A token as it is named: a text, or an object that has it as its content. */
function textOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { content?: unknown }).content : value;
}

/** Lists of special tokens without a name. */
const MORE = ['additional_special_tokens', 'extra_special_tokens'];

function moreTokens(settings: Settings, keys = MORE): string[] {
  return keys.flatMap((key) => {
    const tokens = settings.value(key);
    return Array.isArray(tokens) ? tokens.map((token) => String(textOf(token))) : [];
  });
}

function checkMore(map: Settings, { special }: FileTokeniser): void {
  for (const key of MORE)
    if (moreTokens(map, [key]).some((token) => !special.has(token)))
      throw map.fault(key, 'special tokens of the tokeniser are expected');
  map.finish();
}

/** What added_tokens.json has: numbers of tokens, by their text. */
function tokensByText(ids: Settings, special: ReadonlySet<string>): ListedToken[] {
  return ids.keys().map((text) => {
    const isSpecial = special.has(text);
    return { id: ids.index(text), text, special: isSpecial, normalised: !isSpecial };
  });
}

/** What `added_tokens_decoder` has: tokens by their numbers. */
function listedTokens(settings: Settings): ListedToken[] {
  const list = settings.inside('added_tokens_decoder');
  return (list?.keys() ?? []).map((id) => {
    const token = new Settings(Object(list!.value(id)), `token ${id} of ${list!.name}`);
    return listedToken(token, Number(id));
  });
}

/** A token with how it is looked for, as tokenizers writes it. */
export function listedToken(token: Settings, id: number): ListedToken {
  const text = token.text('content');
  if (!Number.isSafeInteger(id) || id < 0 || text === undefined)
    throw new UserError(`${token.name} is no token: an id and a content are expected`);
  const special = token.flag('special', false);
  const read = {
    ...{ id, text, special },
    singleWord: token.flag('single_word', false),
    stripLeft: token.flag('lstrip', false),
    stripRight: token.flag('rstrip', false),
    normalised: token.flag('normalized', !special),
  };
  token.harmless(['__type']);
  token.finish();
  return read;
}
