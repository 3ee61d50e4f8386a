import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { drawBaseSeed, Generator, samplePositions, shuffledOrder } from '../../lib/random/index.ts';

const fixture = JSON.parse(readFileSync(new URL('../fixtures/random.json', import.meta.url), 'utf8'));

describe("the DataLoader's order", () => {
  it('is that of PyTorch over three epochs, each followed by a pass over another loader', () => {
    const generator = new Generator(123);
    const epochs = fixture.loader.orders.map(() => {
      drawBaseSeed(generator);
      const order = Array.from(shuffledOrder(21, generator));
      drawBaseSeed(generator); // the pass over the unshuffled loader
      return [0, 1, 2, 3, 4].map((batch) => order.slice(4 * batch, 4 * batch + 4));
    });
    expect(epochs).to.deep.equal(fixture.loader.orders);
    expect(generator.random64()).to.equal(BigInt(fixture.loader.after));
  });
});

describe('samplePositions', () => {
  for (const { n, size, seed, positions } of fixture.pandas) {
    it(`draws ${size} of ${n} rows as pandas, seed ${seed}`, () => {
      expect(Array.from(samplePositions(n, size, seed))).to.deep.equal(positions);
    });
  }

  it('is a permutation when all rows are asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (n, seed) => {
        const sorted = samplePositions(n, n, seed).sort();
        expect(Array.from(sorted)).to.deep.equal(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('refuses more rows than there are, and seeds numpy refuses', () => {
    expect(() => samplePositions(3, 4, 1)).to.throw('cannot sample 4 of 3 rows');
    expect(() => samplePositions(3, 1, -1)).to.throw('the seed must be a whole number');
    expect(() => samplePositions(3, 1, 2 ** 32)).to.throw('the seed must be a whole number');
  });
});
