import { io, UserError } from '../../lib/index.ts';
import { END_OF_TEXT, gpt2Files } from '../chapter02/index.ts';
import { ranksByScore, SentencePieceTokeniser } from '../gemma/model/05-sentence-piece.ts';
import { BpeTokeniser } from '../llama/model/06-tokeniser.ts';
import { FileTokeniser, type FileVocabulary } from '../llama/model/file-tokeniser.ts';
import type { Texts } from '../llama/model/text-index.ts';
import { HARMLESS_TOKENISER_METADATA, HARMLESS_TOKENISER_SETTINGS } from './harmless.ts';
import { Settings } from './settings.ts';
import { type TokensBeside, tokensBeside } from './special-tokens.ts';
import { GGUF_SPLITTINGS } from './splitting.ts';
import { checkIds, tokeniserFromJson } from './tokeniser-json.ts';

/** What goes with a model: its tokeniser, the template of its conversations, and what ends an answer. */
export interface Words {
  tokeniser: FileTokeniser;
  /** In the Jinja language, as files have it; a model that only continues texts has none. */
  chatTemplate?: string;
  /** The tokens that end an answer: any of them. */
  endIds: number[];
}

/** In the place of a tokeniser that is not in the files: the model itself can be asked with ids. */
class NoTokeniser extends FileTokeniser {
  readonly #reason: string;
  constructor(reason: string) {
    super({ tokens: [] });
    this.#reason = reason;
  }
  override encode(): never {
    throw new UserError(this.#reason);
  }
  override bytes(): never {
    throw new UserError(this.#reason);
  }
  protected override encodeOrdinary(): never {
    throw new UserError(this.#reason);
  }
  protected override bytesOf(): never {
    throw new UserError(this.#reason);
  }
}

/**
 * The tokeniser and the template of a folder of the hub.
 * @param config the model's, as far as it has been read
 */
export function wordsInFolder(folder: io.Folder, config: Settings): Words {
  const file = 'tokenizer_config.json';
  const settings = new Settings(
    folder.has(file) ? io.readJsonIn(folder, file, "the tokeniser's settings") : {},
    io.nameIn(folder, file),
  );
  const beside = tokensBeside(folder, settings);
  settings.only('split_special_tokens', false, null);
  settings.only('do_lower_case', false, null);
  settings.only('fix_mistral_regex', false, null);
  settings.harmless(HARMLESS_TOKENISER_SETTINGS);
  const tokeniser = tokeniserInFolder(folder, config, settings, beside);
  const chatTemplate = templateInFolder(folder, settings);
  settings.finish();
  if (!(tokeniser instanceof NoTokeniser)) beside.check(tokeniser);
  return { tokeniser, chatTemplate, endIds: endIdsInFolder(folder, config, tokeniser) };
}

function tokeniserInFolder(
  folder: io.Folder,
  config: Settings,
  settings: Settings,
  beside: TokensBeside,
): FileTokeniser {
  if (folder.has('tokenizer.json')) return tokeniserFromJson(folder, 'tokenizer.json', beside, settings);
  const isGpt2 = config.text('model_type') === 'gpt2';
  settings.only('add_prefix_space', false, null);
  if (isGpt2 && folder.has('vocab.json') && folder.has('merges.txt')) {
    const encoderJson = io.readTextIn(folder, 'vocab.json', 'the tokeniser');
    const merges = io.readTextIn(folder, 'merges.txt', 'the tokeniser');
    return gpt2Tokeniser(encoderJson, merges, beside, io.nameIn(folder, 'vocab.json'));
  }
  if (isGpt2 && config.size('vocab_size', 50_257) === 50_257 && !folder.has('vocab.json')) {
    const { vocabBpe, encoderJson } = gpt2Files();
    return gpt2Tokeniser(encoderJson, vocabBpe, beside, "GPT-2's vocabulary");
  }
  const sentencePiece = folder.has('tokenizer.model');
  return new NoTokeniser(
    `${folder.name} has no tokenizer.json${sentencePiece ? ', only tokenizer.model, which is SentencePiece’s and not read here' : ''}: ` +
      'save it with tokenizer.save_pretrained(folder) of transformers',
  );
}

/** GPT-2's two files: token → id, and a merge a line. */
function gpt2Tokeniser(
  encoderJson: string,
  merges: string,
  beside: TokensBeside,
  file: string,
): BpeTokeniser {
  let vocabulary: Record<string, number>;
  try {
    vocabulary = JSON.parse(encoderJson);
  } catch {
    throw new UserError(`${file} is not JSON; it may be damaged or cut short, so get it again`);
  }
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(vocabulary)) tokens[id] = token;
  if (tokens.length !== Object.keys(vocabulary).length)
    throw new UserError(`${file} does not number its tokens from 0: get it again`);
  checkIds(beside.added, new Map(Object.entries(vocabulary)), beside.addedIn);
  const lines = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  const ofGpt2 = ['bos_token', 'eos_token', 'unk_token'].map((name) => [name, END_OF_TEXT]);
  const named = { ...Object.fromEntries(ofGpt2), ...beside.named };
  const texts = new Set(Object.values<string>(named));
  const special = [...texts].map((text) => tokens.indexOf(text)).filter((id) => id >= 0);
  const added = beside.added.map((token) => ({ ...token, special: token.special || texts.has(token.text) }));
  return new BpeTokeniser({ ...{ tokens, special, added, named }, merges: lines });
}

/** `chat_template.jinja`, or what the settings have: a template, or several by name, of which `default` is meant. */
function templateInFolder(folder: io.Folder, settings: Settings): string | undefined {
  const given = settings.value('chat_template');
  if (folder.has('chat_template.jinja'))
    return io.readTextIn(folder, 'chat_template.jinja', 'the chat template');
  if (given === undefined || typeof given === 'string') return given;
  const list = Array.isArray(given)
    ? given
    : Object.entries(given as object).map(([name, template]) => ({ name, template }));
  const found = list.find((each) => each?.name === 'default')?.template;
  if (typeof found === 'string') return found;
  throw new UserError(`chat_template of ${settings.name} has no template of the name “default”`);
}

/** The generation's configuration says what ends an answer, else the model's, else the tokeniser's. */
function endIdsInFolder(folder: io.Folder, config: Settings, tokeniser: FileTokeniser): number[] {
  const file = 'generation_config.json';
  const generation = folder.has(file)
    ? new Settings(io.readJsonIn(folder, file, 'how answers are made'), io.nameIn(folder, file))
    : undefined;
  for (const settings of [generation, config]) {
    const value = settings?.value('eos_token_id');
    if (!settings || value === undefined) continue;
    const ids = [value].flat();
    if (ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0)) return ids as number[];
    throw settings.fault('eos_token_id', 'a token’s number, or a list of them, is expected');
  }
  const end = tokeniser.special.get(tokeniser.named.eos_token ?? '');
  return end === undefined ? [] : [end];
}

/** Marks of llama.cpp for kinds of tokens. */
const [UNKNOWN, CONTROL, USER_DEFINED, BYTE] = [2, 3, 4, 6];

/** The tokeniser and the template of a GGUF file. */
export function wordsInGguf(file: io.GgufFile): Words {
  const settings = new Settings(file.metadata, file.name, 'tokenizer.');
  const tokens = settings.texts('ggml.tokens');
  const endIds = ['eos', 'eot', 'eom'].flatMap((name) => {
    const id = settings.value(`ggml.${name}_token_id`);
    return id === undefined ? [] : [settings.number(`ggml.${name}_token_id`)];
  });
  const chatTemplate = settings.text('chat_template');
  const kind = settings.text('ggml.model') ?? (tokens ? 'gpt2' : 'none');
  if (kind === 'none' || kind === 'no_vocab' || !tokens)
    return { tokeniser: new NoTokeniser(`${file.name} has no tokeniser`), chatTemplate, endIds };
  if (kind !== 'gpt2' && kind !== 'llama')
    throw settings.fault(
      'ggml.model',
      'only "gpt2", byte-level byte pair encoding, and "llama", SentencePiece’s, can be read',
    );
  const types = settings.list('ggml.token_type') ?? [];
  const vocabulary = vocabularyInGguf(settings, tokens, types, kind);
  const tokeniser =
    kind === 'llama'
      ? sentencePiecesInGguf(settings, vocabulary, types)
      : bytePairsInGguf(settings, vocabulary);
  settings.only('ggml.remove_extra_whitespaces', false);
  settings.harmless([...HARMLESS_TOKENISER_METADATA, /^(?!tokenizer\.)/]);
  settings.finish();
  return { tokeniser, chatTemplate, endIds };
}

/** What both kinds of tokenisers have. */
function vocabularyInGguf(
  settings: Settings,
  tokens: Texts,
  types: readonly unknown[],
  kind: 'gpt2' | 'llama',
): FileVocabulary {
  const named: Record<string, string> = {};
  const special = new Set(idsOfTypes(types, CONTROL, UNKNOWN));
  for (const name of ['bos', 'eos']) {
    if (settings.value(`ggml.${name}_token_id`) === undefined) continue;
    const id = settings.number(`ggml.${name}_token_id`);
    const text = id < 0 ? undefined : tokens.at(id);
    if (text === undefined)
      throw settings.fault(`ggml.${name}_token_id`, `one of the ${tokens.length} tokens is expected`);
    named[`${name}_token`] = text;
    special.add(id);
  }
  const added = idsOfTypes(types, USER_DEFINED).map((id) => ({ id, text: tokens.at(id)!, special: false }));
  const begins = settings.flag('ggml.add_bos_token', kind === 'llama') && named.bos_token !== undefined;
  return {
    ...{ tokens, special: [...special], added, named },
    start: begins ? [settings.number('ggml.bos_token_id')] : [],
  };
}

/** The ids of some types. A vocabulary may be large: nothing is made for the others. */
function idsOfTypes(types: readonly unknown[], ...wanted: unknown[]): number[] {
  const ids: number[] = [];
  types.forEach((type, id) => {
    if (wanted.includes(type)) ids.push(id);
  });
  return ids;
}

function bytePairsInGguf(settings: Settings, vocabulary: FileVocabulary): BpeTokeniser {
  const pre = settings.text('ggml.pre');
  if (pre === undefined || !Object.hasOwn(GGUF_SPLITTINGS, pre)) {
    const known = Object.keys(GGUF_SPLITTINGS).join(', ');
    throw new UserError(
      `${settings.name} has a tokeniser of the kind “${pre ?? ''}” (tokenizer.ggml.pre): ${known} can be read`,
    );
  }
  const merges = settings.texts('ggml.merges');
  if (!merges)
    throw new UserError(`${settings.name} does not say its tokenizer.ggml.merges: get another one`);
  settings.only('ggml.add_space_prefix', false);
  return new BpeTokeniser({ ...vocabulary, merges: [...merges], ...GGUF_SPLITTINGS[pre] });
}

/** Without `add_space_prefix` llama.cpp puts a blank in front of a text, as the first Llamas want it. */
function sentencePiecesInGguf(
  settings: Settings,
  vocabulary: FileVocabulary,
  types: readonly unknown[],
): SentencePieceTokeniser {
  settings.only('ggml.pre', 'default');
  if (settings.flag('ggml.add_space_prefix', true))
    throw new UserError(
      `${settings.name} has a tokeniser that puts a blank in front of a text (tokenizer.ggml.add_space_prefix), which is not read here`,
    );
  const scores = settings.list('ggml.scores');
  const { tokens } = vocabulary;
  if (!scores || scores.length !== tokens.length || scores.some((score) => typeof score !== 'number'))
    throw new UserError(
      `${settings.name} has no score for each token (tokenizer.ggml.scores): get another one`,
    );
  const isMade = (id: number) => types[id] !== UNKNOWN && types[id] !== CONTROL && types[id] !== BYTE;
  const rankOf = ranksByScore(tokens, scores as number[], isMade);
  return new SentencePieceTokeniser({ ...vocabulary, rankOf });
}
