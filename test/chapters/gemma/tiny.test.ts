import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { generate } from '../../../chapters/chapter05/index.ts';
import {
  mergeByRank,
  ranksByMerges,
  ranksByScore,
  SentencePieceTokeniser,
} from '../../../chapters/gemma/model/05-sentence-piece.ts';
import { type LoadedModel, loadModel } from '../../../chapters/models/index.ts';
import { noGrad, type Tensor, tensor, UserError, useBackend } from '../../../lib/index.ts';

/** A small Gemma 3 as transformers saves it, and as the package gguf writes it (test/fixtures/gemma_tiny.py). */
const FOLDER = fileURLToPath(new URL('../../fixtures/gemma/tiny/', import.meta.url));
const expected = JSON.parse(readFileSync(`${FOLDER}expected.json`, 'utf8')) as {
  ids: number[][];
  logits: number[][];
  gguf: number[][];
  continued: number[];
  texts: string[];
  start: number[];
  tokens: number[][];
  special: number[][];
  ggufSpecial: (number[] | null)[];
};
const ids = tensor(expected.ids, { dtype: 'int32' });
const logitsOf = ({ model }: LoadedModel): Tensor => noGrad(() => model.forward(ids).squeeze(0)); // [t, v]
const farthest = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();

describe('a small Gemma', () => {
  let folder: LoadedModel;
  let gguf: LoadedModel;
  before(async () => {
    await useBackend('wasm');
    folder = await loadModel(FOLDER);
    gguf = await loadModel(`${FOLDER}tiny.gguf`);
  });

  it("has transformers' logits from a folder of the hub, of a text longer than its window", () => {
    expect(farthest(logitsOf(folder), tensor(expected.logits))).to.be.below(2e-3);
    const made = generate(folder.model, ids, { maxNewTokens: 12, contextSize: 64, cache: true });
    expect(made.toArray()).to.eql([expected.continued]);
  });

  it('has them from GGUF, whose norms have 1 added, in float32 and as stored', async () => {
    const last = tensor(expected.gguf);
    expect(farthest(logitsOf(gguf).slice(0, -2), last)).to.be.below(2e-3);
    const quantised = await loadModel(`${FOLDER}tiny.gguf`, { quantised: true });
    expect(farthest(logitsOf(quantised).slice(0, -2), last)).to.be.below(2e-3);
  });

  it("has tokenizers' ids from tokenizer.json, and the text again", () => {
    const { tokeniser } = folder;
    expected.texts.forEach((text, i) => {
      expect(tokeniser.encode(text), JSON.stringify(text)).to.eql(expected.tokens[i]);
      const allowedSpecial = tokeniser.special.keys();
      expect(tokeniser.encode(text, { allowedSpecial }), JSON.stringify(text)).to.eql(expected.special[i]);
      expect(tokeniser.decode(expected.tokens[i])).to.equal(text.replaceAll('▁', ' '));
    });
    expect(tokeniser.startIds).to.eql(expected.start);
    expect(folder.endIds).to.eql([1]);
  });

  it('has the ids from GGUF too', () => {
    const { tokeniser } = gguf;
    expected.texts.forEach((text, i) => {
      const wanted = expected.ggufSpecial[i];
      if (!wanted) return;
      const allowedSpecial = tokeniser.special.keys();
      expect(tokeniser.encode(text, { allowedSpecial }), JSON.stringify(text)).to.eql(wanted);
    });
    expect(tokeniser.startIds).to.eql([2]);
  });

  it('cuts any text so that it comes back', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((each) => !each.includes('▁'));
    for (const { tokeniser } of [folder, gguf])
      fc.assert(
        fc.property(text, (each) => {
          expect(tokeniser.decode(tokeniser.encode(each))).to.equal(each);
        }),
      );
  });

  it('refuses a tokenizer.json with another step in one line', async () => {
    const names = ['config.json', 'model.safetensors', 'tokenizer.json'];
    const files = Object.fromEntries(
      names.map((name) => [name, new Uint8Array(readFileSync(FOLDER + name))]),
    );
    const json = JSON.parse(readFileSync(`${FOLDER}tokenizer.json`, 'utf8'));
    const prepend = { type: 'Prepend', prepend: '▁' };
    const changes: [string, object][] = [
      ['normalizer', { normalizer: { type: 'Sequence', normalizers: [prepend, json.normalizer] } }],
      ['normalizer', { normalizer: null }],
      ['pre_tokenizer', { pre_tokenizer: { type: 'Whitespace' } }],
      ['decoder', { decoder: { type: 'ByteLevel' } }],
      ['<0x41>', { model: { ...json.model, vocab: renamed(json.model.vocab, '<0x41>', '<0x4G>') } }],
      ['of bytes', { model: { ...json.model, merges: [['<0x41>', '<0x42>'], ...json.model.merges] } }],
      ['ignore_merges', { model: { ...json.model, ignore_merges: true } }],
    ];
    for (const [named, change] of changes) {
      const changed = new TextEncoder().encode(JSON.stringify({ ...json, ...change }));
      const error = await loadModel({ ...files, 'tokenizer.json': changed }).then(
        () => undefined,
        (caught) => caught,
      );
      expect(error, named).to.be.instanceOf(UserError);
      expect(error.message)
        .to.include(named)
        .and.match(/^[^\n]+$/);
    }
  });
});

const renamed = (vocab: Record<string, number>, from: string, to: string) =>
  Object.fromEntries(Object.entries(vocab).map(([token, id]) => [token === from ? to : token, id]));

describe('merging by rank', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 });
  /** Tokens of two to four letters, with ranks. */
  const vocabulary = fc.array(
    fc.tuple(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 4 }),
      fc.integer({ min: 0, max: 5 }),
    ),
    { maxLength: 20 },
  );

  /** The definition: of all pairs the one of the smallest rank, the leftmost of equals, until there is none. */
  function byHand(units: readonly string[], rankOf: (left: string, right: string) => number | undefined) {
    let texts = [...units];
    for (;;) {
      let [best, at] = [Number.POSITIVE_INFINITY, -1];
      for (let i = 0; i + 1 < texts.length; i++) {
        const rank = rankOf(texts[i], texts[i + 1]) ?? Number.POSITIVE_INFINITY;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return texts;
      texts = [...texts.slice(0, at), texts[at] + texts[at + 1], ...texts.slice(at + 2)];
    }
  }

  it('does what its definition says', () => {
    fc.assert(
      fc.property(letters, vocabulary, (units, words) => {
        const rankOf = ranksByScore(
          words.map(([word]) => word),
          words.map(([, rank]) => -rank),
        );
        expect(mergeByRank(units, rankOf)).to.eql(byHand(units, rankOf));
      }),
      { numRuns: 300 },
    );
  });

  it('takes a long text in one piece', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => 'abc'[(i * i) % 3]);
    const rankOf = ranksByMerges(['a b', 'ab b', 'a a', 'aa a']);
    expect(mergeByRank(text, rankOf).join('')).to.equal(text.join(''));
  });

  it('wants a token for each byte', () => {
    expect(() => new SentencePieceTokeniser({ tokens: ['a'], rankOf: () => undefined })).to.throw(
      UserError,
      '<0x00>',
    );
  });
});
