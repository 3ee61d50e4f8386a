import { UserError } from '../../../lib/index.ts';
import type { EncodeOptions, Tokeniser } from '../../chapter02/index.ts';
import { type AddedToken, AddedTokens } from './added-tokens.ts';
import { TextIndex, type Texts } from './text-index.ts';

/** What a vocabulary from a file is, however it cuts a text. */
export interface FileVocabulary {
  /** By id. */
  tokens: Texts;
  /** The ids of special tokens among them. */
  special?: readonly number[];
  /** Done to the text between added tokens, before it is cut: Unicode's NFC, say. */
  normalise?: (text: string) => string;
  /** Added tokens with more to say than that they are special. */
  added?: readonly AddedToken[];
  /** The same, of those that are looked for after `normalise`. */
  addedToNormalised?: readonly AddedToken[];
  /** The tokens that templates call by name: `bos_token`, `eos_token`. */
  named?: Readonly<Record<string, string>>;
  /** What a text for the model begins with. */
  start?: readonly number[];
}

/** What `encode` can be told besides which special tokens are allowed. */
export interface FileEncodeOptions extends EncodeOptions {
  /** Characters that stand in for a text, which is then never taken for a token: `chatToIds` uses them. */
  standIns?: ReadonlyMap<string, string>;
}

/**
 * A tokeniser with a vocabulary from a file: added tokens are found in a text first, and what lies between them is cut by
 * one of the two ways that files have, byte pairs (06-tokeniser.ts) or SentencePiece's (gemma/model/05-sentence-piece.ts).
 */
export abstract class FileTokeniser implements Tokeniser {
  readonly vocabSize: number;
  /** Special tokens by their text, e.g. `<|im_start|>` → 1. */
  readonly special: ReadonlyMap<string, number>;
  /** The text of `bos_token`, `eos_token` and others that the files name. */
  readonly named: Readonly<Record<string, string>>;
  /** What a text for the model begins with, such as `<bos>`; `encode` leaves that to its caller. A chat's template has it. */
  readonly startIds: readonly number[];
  /** The first id of each token's text. */
  protected readonly idOfToken: TextIndex;
  readonly #tokens: Texts;
  readonly #normalise: (text: string) => string;
  readonly #added: AddedTokens;
  readonly #addedToNormalised: AddedTokens;
  readonly #textOfAdded: ReadonlyMap<number, string>;

  constructor(vocabulary: FileVocabulary) {
    const { tokens, special = [], added = [], addedToNormalised = [] } = vocabulary;
    this.#tokens = tokens;
    this.#normalise = vocabulary.normalise ?? ((text) => text);
    this.named = vocabulary.named ?? {};
    this.startIds = vocabulary.start ?? [];
    const marked = special.map((id): AddedToken => ({ id, text: tokens.at(id)!, special: true }));
    const raw = [...marked, ...added];
    const all = [...raw, ...addedToNormalised];
    this.#added = new AddedTokens(raw);
    this.#addedToNormalised = new AddedTokens(addedToNormalised);
    this.#textOfAdded = new Map(all.map(({ id, text }) => [id, text]));
    this.special = new Map(all.filter((token) => token.special).map(({ id, text }) => [text, id]));
    this.vocabSize = all.reduce((size, { id }) => Math.max(size, id + 1), tokens.length);
    this.idOfToken = new TextIndex(tokens);
  }

  /**
   * A text's tokens, and no others: nothing is put in front of it or behind. Special tokens that stand in the text are text
   * like any other, unless they are allowed.
   */
  encode(text: string, { allowedSpecial = [], standIns }: FileEncodeOptions = {}): number[] {
    const allowed = new Set(allowedSpecial);
    const ids: number[] = [];
    for (const part of this.#added.split(text, allowed)) {
      if (typeof part === 'number') ids.push(part);
      else
        for (const piece of this.#addedToNormalised.split(this.#normalise(part), allowed)) {
          if (typeof piece === 'number') ids.push(piece);
          else this.encodeOrdinary(withoutStandIns(piece, standIns, this.#normalise), ids);
        }
    }
    return ids;
  }

  /** The same for whole texts: what a text for the model begins with is in front of each. */
  forWholeTexts(): Tokeniser {
    return {
      vocabSize: this.vocabSize,
      encode: (text, options) => [...this.startIds, ...this.encode(text, options)],
      decode: (ids) => this.decode(ids),
    };
  }

  decode(ids: Iterable<number>): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes(ids));
  }

  /** The bytes of some tokens: a character of several bytes may be spread over two tokens. */
  bytes(ids: Iterable<number>): Uint8Array {
    const parts: number[] = [];
    for (const id of ids) {
      const added = this.#textOfAdded.get(id);
      const token = added ?? (Number.isInteger(id) && id >= 0 ? this.#tokens.at(id) : undefined);
      if (token === undefined)
        throw new UserError(`there is no token ${id}: the vocabulary has ${this.vocabSize}`);
      for (const byte of this.bytesOf(token, added !== undefined)) parts.push(byte);
    }
    return Uint8Array.from(parts);
  }

  /** Adds the ids of a text that has no added token in it. */
  protected abstract encodeOrdinary(text: string, ids: number[]): void;

  /** The bytes that a token of the vocabulary stands for, or an added one. */
  protected abstract bytesOf(token: string, isAdded: boolean): Iterable<number>;
}

function withoutStandIns(
  text: string,
  standIns: ReadonlyMap<string, string> | undefined,
  normalise: (part: string) => string,
): string {
  let out = text;
  for (const [char, meant] of standIns ?? []) out = out.replaceAll(char, () => normalise(meant));
  return out;
}
