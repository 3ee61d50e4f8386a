import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Settings } from '../../../chapters/models/settings.ts';
import { wordsInFolder } from '../../../chapters/models/tokeniser.ts';
import { io, UserError } from '../../../lib/index.ts';

/** Files beside a tokeniser that name tokens or add some (test/fixtures/models.py): transformers' ids, or one line; never others. */
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/models/${name}.json`, import.meta.url), 'utf8'));
const { base, texts }: { base: { model: { vocab: object; merges: string[][] } }; texts: string[] } =
  read('tokenisers');
const cases: Record<string, { files: object; rows: { plain: number[]; special: number[] }[] }> =
  read('beside');

/** What a line is enough for: numbers that transformers itself does not believe, and tokens that only one of two files has. */
const REFUSED = [
  'the same under another number, older',
  'a new one, older',
  'an ordinary one, older',
  'pair: a hole, older',
  'pair: special, older',
];

async function tokeniserBeside(files: object) {
  const content: Record<string, unknown> = { ...files };
  if ('tokenizer.json' in content) content['tokenizer.json'] = base;
  else {
    content['vocab.json'] = base.model.vocab;
    content['merges.txt'] = base.model.merges.map((merge) => merge.join(' ')).join('\n');
  }
  const texts = Object.entries(content).map(([name, value]) => [
    name,
    new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)),
  ]);
  const folder = await io.folderOfContents(Object.fromEntries(texts), 'a folder');
  return wordsInFolder(folder, new Settings({ model_type: 'gpt2' }, 'config.json')).tokeniser;
}

describe('tokens beside a tokeniser', () => {
  for (const [name, { files, rows }] of Object.entries(cases)) {
    it(`${name}: ${REFUSED.includes(name) ? 'a line' : "transformers' ids"}`, async () => {
      if (REFUSED.includes(name)) {
        const error = await tokeniserBeside(files).then(() => undefined, String);
        expect(error).to.match(/^UserError: [^\n]*(added_tokens|special_tokens_map)\.json[^\n]*$/);
        return;
      }
      const tokeniser = await tokeniserBeside(files);
      for (const [i, text] of texts.entries()) {
        expect(tokeniser.encode(text), JSON.stringify(text)).to.eql(rows[i].plain);
        const allowed = { allowedSpecial: tokeniser.special.keys() };
        expect(tokeniser.encode(text, allowed), `${JSON.stringify(text)}, special`).to.eql(rows[i].special);
      }
    });
  }

  it('a list that is none is refused by name', async () => {
    const older = (tokens: object) =>
      tokeniserBeside({ 'tokenizer.json': true, 'added_tokens.json': tokens });
    for (const tokens of [{ x: -1 }, { x: 1.5 }, { x: 'one' }, { x: null }])
      expect(
        await older(tokens).then(
          () => undefined,
          (error) => error,
        ),
      )
        .to.be.instanceOf(UserError)
        .with.property('message')
        .that.matches(/x( of a folder\/added_tokens\.json is|$)/);
    const settings = (list: object) =>
      tokeniserBeside({ 'tokenizer.json': true, 'tokenizer_config.json': { added_tokens_decoder: list } });
    for (const list of [{ 2: { content: '<|im_end|>', odd: 1 } }, { 2: {} }, { two: { content: 'x' } }])
      expect(
        await settings(list).then(
          () => undefined,
          (error) => error,
        ),
      ).to.be.instanceOf(UserError);
  });
});
