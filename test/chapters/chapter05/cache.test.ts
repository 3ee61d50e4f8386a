import { expect } from 'chai';
import { GPTModel, KeyValueCache } from '../../../chapters/chapter04/index.ts';
import { generate, keepTopP, obtainModel, textToTokenIds } from '../../../chapters/chapter05/index.ts';
import { LlamaModel } from '../../../chapters/llama/index.ts';
import { cat, manualSeed, nn, noGrad, randint, randn, type Tensor, tensor } from '../../../lib/index.ts';
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

/** The same generation without a cache and with one. */
function both(model: nn.Module, ids: Tensor, options: Parameters<typeof generate>[2]): [Tensor, Tensor] {
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
    const llama = new LlamaModel({
      ...{ vocabSize: 60, contextLength: 24, embDim: 16, nHeads: 4, nKvHeads: 2, nLayers: 2, hiddenDim: 32 },
      ...{ ropeBase: 10000, normEps: 1e-5 },
    }).eval();
    for (const each of [model.eval(), llama]) {
      const [without, withCache] = both(each, randint(0, 60, [2, 3]), { maxNewTokens: 12, contextSize: 24 });
      expect(withCache.toArray()).to.deep.equal(without.toArray());
    }
  });

  it('gives the logits of the last position, however the text is cut into pieces', () => {
    const model = gpt();
    const ids = randint(0, 60, [2, 13]);
    const whole = noGrad(() => model.forward(ids).select(1, -1));
    for (const cuts of [[13], [1, 12], [5, 1, 7], Array(13).fill(1)]) {
      const cache = new KeyValueCache();
      let last = whole;
      for (const piece of ids.split(cuts, 1)) last = noGrad(() => model.forward(piece, cache).select(1, -1));
      expectTensor(last, whole, 1e-5, cuts.join());
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

  it('keeps the most likely tokens that together have a probability', () => {
    const logits = tensor([
      [0.1, 0.5, 0.3, 0.1],
      [0.02, 0.03, 0.05, 0.9],
    ]).log();
    const kept = (p: number) => keepTopP(logits, p).exp().gt(0).int().toArray();
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
    const cache = new KeyValueCache();
    noGrad(() => model.forward(ids, cache));
    expect(() => noGrad(() => model.forward(cat([ids, ids], 0), cache))).to.throw('for 1 texts, not 2');
    expect(() => noGrad(() => model.forward(randint(0, 60, [1, 21]), cache))).to.throw(
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
