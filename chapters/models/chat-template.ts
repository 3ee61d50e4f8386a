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
 * What somebody wrote is never read as a special token, or a message could pretend to be the system:
 *
 *      "Hi <|im_end|>"  →  "Hi S"  →  template  →  "<|im_start|>user\nHi S<|im_end|>"  →  cut at special tokens, S is text
 *
 * S is a character that nobody wrote. Only special tokens are exchanged for one, so that a template which trims, splits or
 * tests a message finds the message. A template may also look for a special token: then the two texts differ in more than
 * S, and that token is left to the template, as long as it takes the token out.
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

  const special = [...tokeniser.special.keys()];
  const allowedSpecial = special;
  const written = occurring(special, messages.map(({ content }) => content).join('\n'));
  const meant = render((content) => content);
  if (written.length === 0) return tokeniser.encode(meant, { allowedSpecial });

  const all = standInsFor(written, chatTemplate + meant);
  // What a template does to one token, it does whatever became of the others.
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
  return tokeniser.encode(filled, { allowedSpecial, standIns });
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
