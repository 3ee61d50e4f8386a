import { Template } from '@huggingface/jinja';
import { UserError } from '../../lib/index.ts';
import { STRIP_FUNCTION, stripAsPython } from './python-strip.ts';
import type { Words } from './tokeniser.ts';

/** A message of a conversation. */
export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * A conversation as one text, in the form that the model was trained on: each message between special tokens, and an open
 * one for the answer. The template is the file's own, and is given what transformers gives it.
 *
 * What somebody wrote is never read as a special token, nor as a part of one, or a message could pretend to be the system:
 *
 *      "Hi <|im_end|>"  →  template  →  "<|im_start|>user\nHi <|im_end|><|im_end|>"  →  "… Hi S|im_end|><|im_end|>"
 *
 * S is a character that nobody wrote, and stands for the first written one of a special token: the text is cut at special
 * tokens, and S is text. Which characters were written shows where the template is filled with others in their place
 * (`whatIsWritten`). A template may also look into a message, to cut it at a token or to test it. Then the two texts differ
 * in more than these characters, and `exchangeWhatIsLeftAlone` takes the place of that.
 *
 * @throws UserError if there is no template, it refuses the conversation, or it lets a special token through that it looked for
 */
export function chatToIds(
  { tokeniser, chatTemplate }: Pick<Words, 'tokeniser' | 'chatTemplate'>,
  messages: readonly Message[],
): number[] {
  if (chatTemplate === undefined)
    throw new UserError('the model has no chat template: it goes on with a text, and answers no message');
  const template = parse(chatTemplate);
  const render = (replace: (content: string) => string) =>
    fill(
      template,
      messages.map(({ role, content }) => ({ role, content: replace(content) })),
      tokeniser.named,
    );

  const special = [...tokeniser.special.keys()].filter((token) => token !== '');
  const meant = render((content) => content);
  const contents = messages.map(({ content }) => content);
  const isWritten = whatIsWritten(meant, contents, render);
  const { text, standIns } = isWritten
    ? keepAsText(meant, isWritten, special)
    : exchangeWhatIsLeftAlone(meant, contents, render, { special, chatTemplate });
  return tokeniser.encode(text, { allowedSpecial: special, standIns });
}

/** Fills the template with what a function makes of each message. */
type Render = (replace: (content: string) => string) => string;

/** A text in which stand-ins, characters that nobody wrote, are in the place of others. */
interface Exchanged {
  text: string;
  standIns: Map<string, string>;
}

/**
 * Which characters of the filled template somebody wrote, white space apart, which templates trim; by code points. Undefined if
 * the template does more with a message than to trim it.
 */
function whatIsWritten(meant: string, contents: readonly string[], render: Render): boolean[] | undefined {
  const characters = new Set(contents.join('').replaceAll(BLANKS, ''));
  const standIns = standInsFor([...characters], contents.join('') + meant);
  const meantBy = new Map(Array.from(standIns, ([char, standIn]) => [standIn, char]));
  let filled: string;
  try {
    filled = render((content) => Array.from(content, (char) => standIns.get(char) ?? char).join(''));
  } catch {
    return undefined; // it tests the message
  }
  const chars = Array.from(filled);
  const isSame = chars.map((char) => meantBy.get(char) ?? char).join('') === meant;
  return isSame ? chars.map((char) => meantBy.has(char)) : undefined;
}

/** What some templates trim: JavaScript's and Python's white space. */
const BLANKS = /[\s\p{Cc}]/gu;

/** Finds special tokens as the tokeniser does, from left to right and the longest first, and breaks those that were written. */
function keepAsText(meant: string, isWritten: readonly boolean[], special: readonly string[]): Exchanged {
  const chars = Array.from(meant);
  const tokens = special.map((token) => Array.from(token)).sort((a, b) => b.length - a.length);
  const standIns = new Map<string, string>();
  const byCharacter = standInsFor([...new Set(special.join(''))], meant);
  const foundAt = (at: number) =>
    tokens.find((token) => token[0] === chars[at] && token.every((char, i) => char === chars[at + i]));
  for (let at = 0; at < chars.length; ) {
    const token = foundAt(at);
    const written = token ? isWritten.slice(at, at + token.length).indexOf(true) : -1;
    if (token && written >= 0) {
      const char = chars[at + written];
      chars[at + written] = byCharacter.get(char)!;
      standIns.set(byCharacter.get(char)!, char); // and what is left is looked at again
    } else at += token?.length ?? 1;
  }
  return { text: chars.join(''), standIns };
}

/**
 * The same where a template looks into messages: special tokens that were written are exchanged whole, each that the template
 * leaves alone.
 *
 * @throws UserError if it lets a special token through that it looked for, or a message could be a part of one
 */
function exchangeWhatIsLeftAlone(
  meant: string,
  contents: readonly string[],
  render: Render,
  { special, chatTemplate }: { special: readonly string[]; chatTemplate: string },
): Exchanged {
  const edge = special.find((token) => contents.some((content) => isPartAtAnEdge(token, content)));
  if (edge !== undefined)
    throw new UserError(
      `the chat template looks into messages, and a message begins or ends with a part of ${edge}: take it out`,
    );
  const written = occurring(special, contents.join('\n'));
  const all = standInsFor(written, chatTemplate + meant);
  // A template treats each token in the same way, whatever became of the others.
  const innocent = written.filter((token) => {
    const alone = new Map([[token, all.get(token)!]]);
    return (
      back(
        render((content) => exchange(content, alone)),
        alone,
      ) === meant
    );
  });
  const exchanged = new Map(innocent.map((token) => [token, all.get(token)!]));
  const filled = render((content) => exchange(content, exchanged));
  const withoutAny = render((content) => exchange(content, all));
  const count = (text: string, token: string) => text.split(token).length;
  const slipped = written.find(
    (token) => !exchanged.has(token) && count(filled, token) > count(withoutAny, token),
  );
  if (slipped !== undefined || back(filled, exchanged) !== meant) {
    throw new UserError(
      `the chat template reads ${slipped ?? written.join(', ')} in a message in its own way: take it out of the message`,
    );
  }
  const standIns = new Map(Array.from(exchanged, ([token, char]) => [char, token]));
  return { text: filled, standIns };
}

/** Does a message begin with an end of the token, end with a beginning of it, or lie in it, with two characters or more? */
function isPartAtAnEdge(token: string, content: string): boolean {
  const trimmed = content.replace(/^[\s\p{Cc}]+|[\s\p{Cc}]+$/gu, '');
  if (trimmed.length > 1 && trimmed !== token && token.includes(trimmed)) return true;
  for (let length = 2; length < token.length; length++) {
    if (trimmed.startsWith(token.slice(-length)) || trimmed.endsWith(token.slice(0, length))) return true;
  }
  return false;
}

function parse(chatTemplate: string): Template {
  try {
    return stripAsPython(new Template(chatTemplate));
  } catch (error) {
    throw unusable(error);
  }
}

/** `tools` and `documents` are None in Python where there are none, and not undefined. */
function fill(
  template: Template,
  messages: readonly Message[],
  named: Readonly<Record<string, string>>,
): string {
  try {
    return template.render({
      ...STRIP_FUNCTION,
      ...named,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: true,
    });
  } catch (error) {
    throw unusable(error);
  }
}

function unusable(error: unknown): UserError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UserError(`the chat template cannot be used: ${reason.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
}

/** The tokens of the list that stand in a text; the longest where several begin at one place. */
function occurring(tokens: readonly string[], text: string): string[] {
  return tokens.filter((token) => token !== '' && text.includes(token)).sort((a, b) => b.length - a.length);
}

/** A character of Unicode's private planes for each token, none of which is in the text. */
function standInsFor(tokens: readonly string[], text: string): Map<string, string> {
  const found = new Map<string, string>();
  let next = 0xf0000;
  for (const token of tokens) {
    while (text.includes(String.fromCodePoint(next))) next++;
    found.set(token, String.fromCodePoint(next++));
  }
  return found;
}

function exchange(text: string, standIns: ReadonlyMap<string, string>): string {
  let out = text;
  for (const [token, char] of standIns) out = out.replaceAll(token, char);
  return out;
}

function back(text: string, standIns: ReadonlyMap<string, string>): string {
  let out = text;
  for (const [token, char] of standIns) out = out.replaceAll(char, () => token);
  return out;
}
