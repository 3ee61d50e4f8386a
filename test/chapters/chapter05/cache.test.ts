import { expect } from 'chai';
import { GPTModel, KeyValueCache } from '../../../chapters/chapter04/index.ts';
import {
  generate,
  keepTopP,
  type LanguageModel,
  obtainModel,
  textToTokenIds,
} from '../../../chapters/chapter05/index.ts';
import { LlamaModel } from '../../../chapters/llama/index.ts';
import {
  cat,
  manualSeed,
  nn,
  noGrad,
  randint,
  randn,
  type Tensor,
  tensor,
  UserError,
} from '../../../lib/index.ts';
import { expectTensor } from '../../support/close.ts';
import { onEachEngine } from '../../support/engines.ts';

const CONFIG = {
  ...{ vocabSize: 60, contextLength: 24, embDim: 16, nHeads: 4, nLayers: 3, dropRate: 0, qkvBias: true },
};

function gpt(): GPTModel {
  manualSeed(7);
  const model = new GPTModel(CONFIG);
  // Ids that are not near each other: larger weights than those that are drawn.
  noGrad(() => {
    for (const p of model.parameters()) p.addInPlace(p);
  });
  return model.eval();
}

function llama(): LlamaModel {
  manualSeed(7);
  return new LlamaModel({
    ...{ vocabSize: 60, contextLength: 24, embDim: 16, nHeads: 4, nKvHeads: 2, nLayers: 2, hiddenDim: 32 },
    ...{ ropeBase: 10000, normEps: 1e-5 },
  }).eval();
}

/** The same generation without a cache and with one. */
function both(model: LanguageModel, ids: Tensor, options: Parameters<typeof generate>[2]): [Tensor, Tensor] {
  const run = (cache: boolean) => {
    manualSeed(11);
    return generate(model, ids, { ...options, cache });
  };
  return [run(false), run(true)];
}

onEachEngine('generating with a cache of keys and values', () => {
  it('gives the tokens that come without one: one text, several, greedily and drawn', () => {
    const model = gpt();
    for (const rows of [1, 3]) {
      for (const decoding of [{}, { temperature: 1.3, topK: 9 }, { temperature: 0.9, topP: 0.8 }]) {
        const ids = randint(0, 60, [rows, 4]);
        const [without, withCache] = both(model, ids, { maxNewTokens: 15, contextSize: 24, ...decoding });
        expect(withCache.toArray()).to.deep.equal(without.toArray());
      }
    }
  });

  it('does so where the text outgrows the context, or has from the start', () => {
    const model = gpt();
    for (const [length, contextSize] of [
      [5, 24],
      [20, 24],
      [30, 24],
      [5, 7],
    ]) {
      const ids = randint(0, 60, [2, length]);
      const [without, withCache] = both(model, ids, { maxNewTokens: 25, contextSize });
      expect(withCache.toArray(), `${length} of ${contextSize}`).to.deep.equal(without.toArray());
    }
  });

  it('does so with a LoRA adapter, and for a Llama', () => {
    const model = gpt();
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 4 });
    noGrad(() => {
      for (const [name, p] of model.namedParameters())
        if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape));
    });
    for (const each of [model.eval(), llama()]) {
      const [without, withCache] = both(each, randint(0, 60, [2, 3]), { maxNewTokens: 12, contextSize: 24 });
      expect(withCache.toArray()).to.deep.equal(without.toArray());
    }
  });

  it('gives the logits of every new position, or of the last one, however the text is cut into pieces', () => {
    for (const model of [gpt(), llama()]) {
      const ids = randint(0, 60, [2, 13]);
      const whole = noGrad(() => model.forward(ids)); // [2, 13, 60]
      for (const cuts of [[13], [1, 12], [5, 1, 7], Array(13).fill(1)]) {
        for (const lastOnly of [false, true]) {
          const past = new KeyValueCache();
          const logits = ids
            .split(cuts, 1)
            .map((piece) => noGrad(() => model.forward(piece, { past, lastOnly })));
          const ends = cuts.map((_, i) => cuts.slice(0, i + 1).reduce((sum, cut) => sum + cut) - 1);
          const expected = lastOnly ? whole.indexSelect(1, ends) : whole;
          expectTensor(cat(logits, 1), expected, 1e-5, `${cuts.join()} ${lastOnly}`);
        }
      }
    }
  });
});

describe('decoding', () => {
  it('fills up a row that has ended, and stops when all have', () => {
    const model = gpt();
    const ids = randint(0, 60, [3, 4]);
    const free = generate(model, ids, { maxNewTokens: 10, contextSize: 24 })
      .slice(1, 4)
      .toArray() as number[][];
    const eosId = free[1][3];
    for (const cache of [false, true]) {
      const rows = generate(model, ids, { maxNewTokens: 10, contextSize: 24, eosId, cache });
      const written = rows.slice(1, 4).toArray() as number[][];
      for (const [i, row] of written.entries()) {
        const end = free[i].indexOf(eosId);
        const kept = end === -1 ? free[i] : free[i].slice(0, end);
        const expected = [...kept, ...Array(10).fill(eosId)].slice(0, row.length);
        expect(row, `row ${i}`).to.deep.equal(expected);
      }
      const alone = generate(model, ids.narrow(0, 1, 1), { maxNewTokens: 10, contextSize: 24, eosId, cache });
      expect(alone.shape[1]).to.equal(4 + free[1].indexOf(eosId));
    }
  });

  it('stops at any of several ends', () => {
    const model = gpt();
    const ids = randint(0, 60, [1, 4]);
    const options = { maxNewTokens: 10, contextSize: 24 };
    const free = generate(model, ids, options).slice(1, 4).toFlatArray() as number[];
    const never = Array.from({ length: 60 }, (_, id) => id).find((id) => !free.includes(id))!;
    for (const eosId of [free[6], [never, free[6]], [free[6], never]]) {
      const written = generate(model, ids, { ...options, eosId })
        .slice(1, 4)
        .toFlatArray();
      expect(written).to.deep.equal(free.slice(0, free.indexOf(free[6])));
    }
    expect(generate(model, ids, { ...options, eosId: [] }).shape[1]).to.equal(14);
  });

  it('reads on with a cache that has read the beginning', () => {
    for (const model of [gpt(), llama()]) {
      const ids = randint(0, 60, [2, 6]);
      const options = { maxNewTokens: 8, contextSize: 24 };
      const cache = new KeyValueCache();
      noGrad(() => model.forward(ids.slice(1, 0, 4), { past: cache }));
      const written = generate(model, ids, { ...options, cache });
      expect(written.toArray()).to.deep.equal(generate(model, ids, options).toArray());
      expect(cache.length).to.equal(13); // all but the last token
      cache.truncate(6);
      expect(() => generate(model, ids, { ...options, cache })).to.throw('nothing to continue');
    }
  });

  it('keeps the most likely tokens that together have a probability', () => {
    const logits = tensor([
      [0.1, 0.5, 0.3, 0.1],
      [0.02, 0.03, 0.05, 0.9],
    ]).log();
    const kept = (p: number) => keepTopP(logits, p).exp().gt(0).int().toArray();
    for (const p of [0, -0.1, 1.1, Number.NaN])
      expect(() => keepTopP(logits, p)).to.throw(
        UserError,
        `topP is a probability above 0 and at most 1, not ${p}`,
      );
    expect(kept(0.7)).to.deep.equal([
      [0, 1, 1, 0],
      [0, 0, 0, 1],
    ]);
    expect(kept(0.01)).to.deep.equal([
      [0, 1, 0, 0],
      [0, 0, 0, 1],
    ]);
  });

  it('refuses an unknown option, a cache of other texts, one in training mode and too long a text', () => {
    const model = gpt();
    const ids = randint(0, 60, [1, 4]);
    const options = { maxNewTokens: 1, contextSize: 24 };
    expect(() => generate(model, ids, { ...options, top_k: 3 } as typeof options)).to.throw(
      'did you mean topK',
    );
    for (const wrong of [{ temperature: -1 }, { temperature: Number.NaN }, { topK: 0 }, { topP: 0 }])
      expect(() => generate(model, ids, { ...options, ...wrong })).to.throw(
        UserError,
        `not ${Object.values(wrong)[0]}`,
      );
    const cache = new KeyValueCache();
    noGrad(() => model.forward(ids, { past: cache }));
    expect(() => noGrad(() => model.forward(cat([ids, ids], 0), { past: cache }))).to.throw(
      'for 1 texts, not 2',
    );
    expect(() => noGrad(() => model.forward(randint(0, 60, [1, 21]), { past: cache }))).to.throw(
      'at most 24 tokens, not 25',
    );
    const dropping = new GPTModel({ ...CONFIG, dropRate: 0.1 });
    expect(() => generate(dropping, ids, { ...options, cache: true })).to.throw('model.eval()');
  });

  it('of mini is the same text', async () => {
    const model = (await obtainModel({ model: 'mini' })).eval();
    const [without, withCache] = both(model, textToTokenIds('It was a dark night, and'), {
      maxNewTokens: 40,
      contextSize: 256,
    });
    expect(withCache.toArray()).to.deep.equal(without.toArray());
  });
});
