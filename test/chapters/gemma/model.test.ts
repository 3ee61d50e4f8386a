import { expect } from 'chai';
import fc from 'fast-check';
import { KeysAndValues, KeyValueCache } from '../../../chapters/chapter04/index.ts';
import { GemmaModel } from '../../../chapters/gemma/model/04-gemma-model.ts';
import { everySixthSeesAll, GEMMA3_270M, type GemmaConfig } from '../../../chapters/gemma/model/config.ts';
import { RMSNorm } from '../../../chapters/llama/model/01-rms-norm.ts';
import { rotations } from '../../../chapters/llama/model/02-rope.ts';
import { GroupedQueryAttention } from '../../../chapters/llama/model/04-grouped-query-attention.ts';
import {
  manualSeed,
  noGrad,
  randint,
  randn,
  type Tensor,
  tensor,
  useBackend,
  zeros,
} from '../../../lib/index.ts';

const TINY: GemmaConfig = {
  ...GEMMA3_270M,
  ...{ vocabSize: 50, contextLength: 64, embDim: 12, nHeads: 4, nKvHeads: 2, headDim: 4, hiddenDim: 16 },
  ...{ nLayers: 3, window: 5, windowed: [true, false, true], ropeBase: 5000, windowRopeBase: 50 },
};

/** A model whose norms are not 1 either. */
function drawn(config = TINY, seed = 1): GemmaModel {
  manualSeed(seed);
  const model = new GemmaModel(config).eval();
  noGrad(() => {
    for (const parameter of model.parameters()) parameter.copyInPlace(randn(...parameter.shape).mul(0.3));
  });
  return model;
}

const farthest = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();
const TOKENS = 40;
const ids = () => randint(0, 50, [2, TOKENS]);

describe('Gemma', () => {
  before(() => useBackend('wasm'));

  it('has norms that learn how far from 1 a scale is', () => {
    const x = randn(3, 8);
    expect(farthest(new RMSNorm(8, 1e-6, 1).forward(x), new RMSNorm(8, 1e-6).forward(x))).to.equal(0);
    const [norm, plain] = [new RMSNorm(8, 1e-6, 1), new RMSNorm(8, 1e-6)];
    const learnt = randn(8);
    noGrad(() => {
      norm.scale.copyInPlace(learnt);
      plain.scale.copyInPlace(learnt.add(1));
    });
    expect(farthest(norm.forward(x), plain.forward(x))).to.equal(0);
    norm.forward(x).square().sum().backward();
    plain.forward(x).square().sum().backward();
    expect(farthest(norm.scale.grad!, plain.scale.grad!)).to.be.below(1e-5);
  });

  it('gives the same logits in parts, with a cache that keeps a window, as at once', () => {
    const model = drawn();
    const text = ids();
    const whole = noGrad(() => model.forward(text)); // [2, 40, v]
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: TOKENS - 1 }), { maxLength: 12 }), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), TOKENS];
        const cache = new KeyValueCache();
        for (const end of ends) {
          const start = cache.length;
          const part = noGrad(() => model.forward(text.slice(1, start, end), { past: cache }));
          expect(farthest(part, whole.slice(1, start, end))).to.be.below(2e-4);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('gives the last logits alone as among the others', () => {
    for (const windowed of [TINY.windowed, [false, true, true]]) {
      const model = drawn({ ...TINY, windowed });
      const text = ids();
      const [whole, last] = noGrad(() => [model.forward(text), model.forward(text, { lastOnly: true })]);
      expect(farthest(last, whole.slice(1, -1))).to.be.below(2e-4);
    }
  });

  it('goes on from a cache that was cut, or says that nothing is left of it', () => {
    const model = drawn();
    const text = ids();
    const whole = noGrad(() => model.forward(text));
    let cut = 0;
    for (let length = 1; length < TOKENS; length += 3) {
      const cache = new KeyValueCache();
      noGrad(() => {
        for (let i = 0; i < TOKENS; i++) model.forward(text.slice(1, i, i + 1), { past: cache });
      });
      cache.truncate(length);
      expect(cache.length).to.be.oneOf([0, length]);
      if (cache.length > 0) cut++;
      const rest = noGrad(() => model.forward(text.slice(1, cache.length, TOKENS), { past: cache }));
      expect(farthest(rest, whole.slice(1, TOKENS - rest.shape[1], TOKENS))).to.be.below(2e-4);
    }
    expect(cut).to.be.above(0);
  });

  it('sees a window and nothing before it, in a block that has one', () => {
    const model = drawn({ ...TINY, nLayers: 1, windowed: [true] });
    const text = ids();
    const changed = (place: number) => {
      const other = text.clone();
      other.narrow(1, place, 1).copyInPlace(text.narrow(1, place, 1).neg().add(49));
      const [before, after] = noGrad(() => [model.forward(text), model.forward(other)]);
      return farthest(before.slice(1, -1), after.slice(1, -1));
    };
    for (let place = 0; place < TOKENS - TINY.window; place++) expect(changed(place)).to.equal(0);
    for (let place = TOKENS - TINY.window; place < TOKENS; place++) expect(changed(place)).to.be.above(1e-4);
  });

  it('sees a text that is shorter than the window as one without a window does', () => {
    const [model, all] = [drawn({ ...TINY, window: TOKENS }), drawn({ ...TINY, window: 1000 })];
    const text = ids();
    expect(
      farthest(...(noGrad(() => [model.forward(text), all.forward(text)]) as [Tensor, Tensor])),
    ).to.equal(0);
  });

  it('has derivatives through the window: finite differences', () => {
    manualSeed(3);
    const sizes = {
      embDim: 6,
      nHeads: 2,
      nKvHeads: 1,
      normEps: 1e-6,
      normOffset: 1,
      qkNorm: true,
      headDim: 4,
    };
    const attention = new GroupedQueryAttention({ ...sizes, queryScalar: 9, window: 3 });
    const turns = rotations(4, 8, 100);
    const [x, direction] = [randn(1, 8, 6).requiresGrad_(), randn(1, 8, 6)];
    const value = (input: Tensor) => attention.forward(input, turns).mul(direction).sum();
    value(x).backward();
    const step = 1e-2;
    for (const [t, d] of [
      [0, 0],
      [2, 3],
      [5, 1],
      [7, 5],
    ]) {
      const moved = (by: number) => {
        const other = x.detach().clone();
        other
          .select(1, t)
          .select(1, d)
          .addInPlace(tensor([by]));
        return noGrad(() => value(other)).item();
      };
      const slope = (moved(step) - moved(-step)) / (2 * step);
      expect(slope).to.be.closeTo(x.grad!.select(1, t).select(1, d).item(), 2e-3);
    }
  });

  it('keeps no more than twice its window of a long text', () => {
    const window = 70;
    for (const part of [1, 30, 69, 70, 71, 200]) {
      const kept = new KeysAndValues();
      for (let i = 0; i * part < 1000; i++) {
        const { keys } = noGrad(() => kept.append(zeros(1, 1, part, 2), zeros(1, 1, part, 2), window));
        expect(keys.shape[2]).to.equal(Math.min(i * part, window - 1) + part);
      }
      expect(kept.length).to.equal(Math.ceil(1000 / part) * part);
      expect(kept.append(zeros(1, 1, 1, 2), zeros(1, 1, 1, 2), window).keys.storage.length).to.be.at.most(
        8 * window,
      );
    }
  });

  it('has every sixth block see all', () => {
    expect(everySixthSeesAll(18).flatMap((windowed, i) => (windowed ? [] : [i + 1]))).to.eql([6, 12, 18]);
  });
});
