import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Settings } from '../../../chapters/models/settings.ts';
import { tokensBeside } from '../../../chapters/models/special-tokens.ts';
import { tokeniserFromJson } from '../../../chapters/models/tokeniser-json.ts';
import { io, UserError } from '../../../lib/index.ts';

/** Every part of a tokenizer.json, changed alone (test/fixtures/models.py): tokenizers' ids, or one line; never others. */
interface Model {
  vocab: Record<string, number>;
  merges: [string, string][];
}
interface Fixture {
  base: { model: Model };
  texts: string[];
  cases: Record<
    string,
    {
      change: { model?: object; without?: string[]; mergesAsTexts?: boolean };
      rows: { plain: number[]; special: number[]; decoded: string }[] | null;
    }
  >;
}

const { base, texts, cases }: Fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/models/tokenisers.json', import.meta.url), 'utf8'),
);

/** What must be read; of the rest a line is enough. */
const SUPPORTED =
  'as it is|a blank in front|no pattern|each digit|digits together|Llama 3|Qwen2|a token|the same|white|a whole|a special|' +
  'one that begins|several unknown|merges as|tokens around|NFKC|no dropout|padded to';

async function tokeniserOf(change: Fixture['cases'][string]['change']) {
  const { without = [], mergesAsTexts, model, ...rest } = change;
  const vocab = Object.fromEntries(
    Object.entries(base.model.vocab).filter(([token]) => !without.includes(token)),
  );
  const merges = mergesAsTexts ? base.model.merges.map((merge) => merge.join(' ')) : base.model.merges;
  const json = { ...base, ...rest, model: { ...base.model, ...model, vocab, merges } };
  const content = { 'tokenizer.json': new TextEncoder().encode(JSON.stringify(json)) };
  const folder = await io.folderOfContents(content, 'a folder');
  const settings = new Settings({}, 'its settings');
  return tokeniserFromJson(folder, 'tokenizer.json', tokensBeside(folder, settings), settings);
}

describe('a tokenizer.json', () => {
  for (const [name, { change, rows }] of Object.entries(cases)) {
    it(`with ${name}: ${rows ? "tokenizers' ids" : 'a line'}`, async () => {
      let tokeniser: Awaited<ReturnType<typeof tokeniserOf>>;
      try {
        tokeniser = await tokeniserOf(change);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).to.match(/^[^\n]+$/);
        const must = new RegExp(`^(${SUPPORTED})`).test(name) && !/contiguous|, removed$/.test(name);
        expect(rows === null || !must, error.message).to.equal(true);
        return;
      }
      expect(rows, 'tokenizers refuses it').to.not.equal(null);
      texts.forEach((text, i) => {
        const { plain, special, decoded } = rows![i];
        expect(tokeniser.encode(text), JSON.stringify(text)).to.eql(plain);
        const allowed = { allowedSpecial: tokeniser.special.keys() };
        expect(tokeniser.encode(text, allowed), `${JSON.stringify(text)}, special`).to.eql(special);
        expect(tokeniser.decode(special)).to.equal(decoded);
      });
    });
  }
});
