import { expect } from 'chai';
import fc from 'fast-check';
import { readNumber } from '../../docs/site/client/settings.ts';
import { type Line, Lines } from '../../docs/site/worker/lines.ts';

describe("the lab's settings", () => {
  const rank = { whole: true, least: 1, most: 64 };
  const rate = { least: 0, above: true };

  it('a number that fits its rule is read, and no other', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer({ min: -5, max: 100 })), (value) => {
        const isRank = Number.isInteger(value) && value >= 1 && value <= 64;
        expect(readNumber('Rank', String(value), rank) === value).to.equal(isRank);
        const isRate = value > 0 && Number.isFinite(value);
        expect(readNumber('Learning rate', String(value), rate) === value).to.equal(isRate);
      }),
    );
  });

  for (const [text, said] of [
    ['', 'Rank must be a whole number from 1 to 64, and is empty'],
    [' ', 'Rank must be a whole number from 1 to 64, and is empty'],
    ['1.5', 'Rank must be a whole number from 1 to 64, not 1.5'],
    ['100', 'Rank must be a whole number from 1 to 64, not 100'],
    ['abc', 'Rank must be a whole number from 1 to 64, not abc'],
  ]) {
    it(`says what is wrong with '${text}'`, () => {
      expect(readNumber('Rank', text, rank)).to.equal(said);
    });
  }
});

describe('the lines of a program in the page', () => {
  it('all arrive in their order, a few at once, a flood in few messages', async () => {
    const got: Line[] = [];
    let messages = 0;
    const lines = new Lines((message) => {
      messages++;
      got.push(...('lines' in message ? message.lines : [message]));
    });
    lines.add({ line: 'first' });
    expect(messages).to.equal(1);
    for (let i = 0; i < 20_000; i++) lines.add({ line: String(i), isError: i % 7 === 0 });
    lines.flush();
    expect(got.slice(1).map(({ line }) => line)).to.deep.equal(
      Array.from({ length: 20_000 }, (_, i) => String(i)),
    );
    expect(messages).to.be.below(2000);
    lines.flush();
    expect(got).to.have.length(20_001);
  });
});
