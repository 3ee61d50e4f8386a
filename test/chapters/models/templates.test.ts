import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { chatToIds, type Message } from '../../../chapters/models/index.ts';
import { Settings } from '../../../chapters/models/settings.ts';
import { tokensBeside } from '../../../chapters/models/special-tokens.ts';
import { tokeniserFromJson } from '../../../chapters/models/tokeniser-json.ts';
import { io, UserError } from '../../../lib/index.ts';

/** Prompts as transformers makes them (test/fixtures/models.py). */
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/models/${name}.json`, import.meta.url), 'utf8'));
const { conversations, cases } = read('templates') as {
  conversations: Message[][];
  cases: Record<string, { template: string; prompts: ({ text: string; ids: number[] } | null)[] }>;
};

const named = { bos_token: '<|im_start|>', eos_token: '<|im_end|>' };
const hasSpecial = (messages: Message[]) => messages.some(({ content }) => content.includes('<|'));

describe('a chat template', async () => {
  const content = { 'tokenizer.json': new TextEncoder().encode(JSON.stringify(read('tokenisers').base)) };
  let tokeniser: ReturnType<typeof tokeniserFromJson>;
  before(async () => {
    const folder = await io.folderOfContents(content, 'a folder');
    const settings = new Settings(named, 'its settings');
    const beside = tokensBeside(folder, settings);
    tokeniser = tokeniserFromJson(folder, 'tokenizer.json', beside, settings);
  });
  const special = (ids: number[]) => ids.filter((id) => id < 4);
  const prompt = (chatTemplate: string, messages: Message[]) =>
    chatToIds({ tokeniser, chatTemplate }, messages);

  for (const [name, { template, prompts }] of Object.entries(cases)) {
    conversations.forEach((messages, i) => {
      it(`(${name}) gives transformers' prompt, conversation ${i + 1}`, () => {
        const wanted = prompts[i];
        if (wanted === null) {
          expect(() => prompt(template, messages)).to.throw(
            UserError,
            /^the chat template cannot be used: .+$/,
          );
          return;
        }
        const ids = prompt(template, messages);
        // The text is transformers' in any case; special tokens that somebody wrote are text here.
        expect(tokeniser.decode(ids)).to.equal(wanted.text);
        if (!hasSpecial(messages)) expect(ids).to.eql(wanted.ids);
        else {
          const innocent = messages.map((message) => ({
            ...message,
            content: message.content.replaceAll('<|', '<!'),
          }));
          expect(special(ids)).to.eql(special(prompt(template, innocent)));
        }
      });
    });
  }

  it('that lets a special token of a message through, which it looked for, is refused in one line', () => {
    const template = "{% if '<|im|>' in messages[0].content %}yes {% endif %}{{ messages[0].content }}";
    expect(() => prompt(template, [{ role: 'user', content: 'a<|im|>b' }])).to.throw(UserError, '<|im|>');
    expect(prompt(template, [{ role: 'user', content: 'the cat' }])).to.eql(tokeniser.encode('the cat'));
  });

  it('makes no special token of a message and what lies around', () => {
    const user = (content: string): Message[] => [{ role: 'user', content }];
    const end = tokeniser.special.get('<|im_end|>')!;
    const open = '{{ messages[0].content }}';
    const plain = (text: string) => tokeniser.encode(text);
    const cases: [template: string, content: string][] = [
      [`<|${open}`, 'im_end|> x'],
      [`<|${open}`, '  im_end|> x'],
      [`a${open}|im_end|>`, 'x <'],
      [`<|${open}|>`, 'im_end'],
      [`<${open}`, '|im_start|><|im_end|>'],
      [`<|im_${open}d|>`, 'en'],
    ];
    for (const [template, content] of cases) {
      const trimmed = template.replace('content', 'content | trim');
      for (const each of [template, trimmed]) {
        const text = each.replace(/\{\{.*\}\}/, () => (each === trimmed ? content.trim() : content));
        const ids = prompt(each, user(content));
        expect(special(ids), `${each} with ${content}`).to.deep.equal([]);
        expect(tokeniser.decode(ids)).to.equal(text);
        expect(prompt(`${each}<|im_end|>`, user(content))).to.deep.equal([...ids, end]);
      }
      expect(plain(template.replace(open, content))).to.deep.equal(prompt(template, user(content)));
      // A template that looks into the message: refused, since nothing tells which character is whose.
      const looking = `{% if 'en' in messages[0].content or '|' in messages[0].content %}-{% endif %}${template}`;
      if (content !== 'x <')
        expect(() => prompt(looking, user(content)), looking).to.throw(
          UserError,
          /looks into messages|in its own way/,
        );
    }
    expect(special(prompt(`<|im_start|>${open}<|im_end|>`, user('<|im_end|>')))).to.have.length(2);
  });

  it('is missed in one line', () => {
    expect(() => chatToIds({ tokeniser }, conversations[0])).to.throw(UserError, 'no chat template');
  });
});
