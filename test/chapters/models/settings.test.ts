import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../../chapters/models/index.ts';
import { noGrad, tensor, UserError, useBackend } from '../../../lib/index.ts';

/**
 * Every key of transformers' configurations, changed or taken away alone (test/fixtures/models.py): what comes out are
 * transformers' logits, or one line; never others.
 */
interface Fixture {
  ids: number[][];
  config: Record<string, unknown>;
  weights: string;
  answers: number[][];
  cases: { set?: Record<string, unknown>; unset?: string[]; answer: number | null }[];
}

const read = (name: string): Fixture =>
  JSON.parse(readFileSync(new URL(`../../fixtures/models/${name}.json`, import.meta.url), 'utf8'));

/** Changes whose right answer is expected, and not only allowed. */
const SUPPORTED: Record<string, number> = { llama: 35, gpt2: 35, qwen3: 20, gemma3: 50 };

for (const name of Object.keys(SUPPORTED)) {
  describe(`a folder of ${name}`, () => {
    const { ids, config, weights, answers, cases } = read(name);
    const bytes = new Uint8Array(Buffer.from(weights, 'base64'));
    const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    before(() => useBackend('js'));
    let right = 0;

    for (const { set = {}, unset = [], answer } of cases) {
      const what = [JSON.stringify(set).slice(0, 90), ...unset.map((key) => `without ${key}`)].join(' ');
      it(`with ${what}: ${answer === null ? 'a line' : "transformers' logits, or a line"}`, async () => {
        const changed: Record<string, unknown> = { ...config, ...set };
        for (const key of unset) delete changed[key];
        try {
          const { model } = await loadModel({ 'config.json': json(changed), 'model.safetensors': bytes });
          const logits = noGrad(() =>
            model.forward(tensor(ids, { dtype: 'int32' })),
          ).toFlatArray() as number[];
          expect(answer, 'Python refuses this, or draws what is missing').to.not.equal(null);
          logits.forEach((value, i) => {
            expect(value, `logit ${i}`).to.be.closeTo(answers[answer!][i], 2e-3);
          });
          right++;
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).to.match(/^[^\n]+$/);
        }
      });
    }

    it('is read as it is, and with nearly all changes of what changes no number', () => {
      expect(right).to.be.at.least(SUPPORTED[name]);
    });
  });
}
