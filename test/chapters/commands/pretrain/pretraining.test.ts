import { expect } from 'chai';
import fc from 'fast-check';
import { END_OF_TEXT_ID } from '../../../../chapters/chapter02/index.ts';
import {
  drawWindows,
  holdOut,
  messageSource,
  sameness,
  textSource,
} from '../../../../chapters/commands/pretrain/pretraining-text.ts';
import { Vocabulary } from '../../../../chapters/commands/pretrain/vocabulary.ts';
import { manualSeed, randn } from '../../../../lib/index.ts';
import { Generator } from '../../../../lib/random/index.ts';
import { expectTensor } from '../../../support/close.ts';

describe('the texts that mini learns from', () => {
  const text = Int32Array.from({ length: 40 }, (_, i) => i);
  const messages = [Int32Array.of(1, 2, 3), Int32Array.of(4, 5)];

  it('takes any stretch of a text, the first and the last too', () => {
    const source = textSource('text', 1, text);
    const random = new Generator(1);
    const starts = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const window = source.draw(random, 30);
      expect([...window]).to.deep.equal([...text.subarray(window[0], window[0] + 30)]);
      starts.add(window[0]);
    }
    expect([...starts].sort((a, b) => a - b)).to.deep.equal([...text.subarray(0, 11)]);
  });

  it('puts whole messages of one kind one after the other, with padding between them', () => {
    const source = messageSource('ham', 1, messages);
    const random = new Generator(2);
    for (let i = 0; i < 200; i++) {
      const window = source.draw(random, 20);
      expect(window).to.have.length(20);
      const parts = `${window}`.split(/(?:,?50256,?)+/).filter((part) => part !== '');
      expect(['1,2,3', '4,5']).to.include.members(parts.slice(0, -1));
      expect(parts.at(-1)).to.match(/^(1(,2(,3)?)?|4(,5)?)$/);
      expect(window[0]).not.to.equal(END_OF_TEXT_ID);
    }
  });

  it('gives a step the same windows whenever it is asked', () => {
    const sources = [textSource('text', 3, text), messageSource('ham', 1, messages)];
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), (seed, step) => {
        expect(drawWindows(sources, 4, 10, seed, step)).to.deep.equal(
          drawWindows(sources, 4, 10, seed, step),
        );
      }),
    );
    expect(drawWindows(sources, 4, 10, 1, 1)).not.to.deep.equal(drawWindows(sources, 4, 10, 1, 2));
  });

  it('takes a source as often as its share says', () => {
    const sources = [textSource('text', 3, text), messageSource('ham', 1, [Int32Array.of(99)])];
    const windows = drawWindows(sources, 4000, 10, 5, 0);
    expect(windows.filter((window) => window[0] === 99).length / 4000).to.be.closeTo(0.25, 0.03);
  });

  it('holds the last fiftieth out', () => {
    const { train, heldOut } = holdOut(
      Array.from({ length: 100 }, (_, i) => i),
      'tokens',
      2,
    );
    expect(train).to.have.length(98);
    expect(heldOut).to.deep.equal([98, 99]);
    expect(() => holdOut(text.slice(0, 40), 'tokens', 1)).to.throw(
      '40 tokens are too few to train on: a fiftieth of them is held out, so 50 are needed',
    );
  });

  it('knows a message again in other case, punctuation and digits', () => {
    expect(sameness('Call 0800-123 NOW!')).to.equal(sameness('call 0711 987 now'));
    expect(sameness('Call me now')).not.to.equal(sameness('Call me later'));
  });
});

describe('a vocabulary of the ids that occur', () => {
  const vocabulary = new Vocabulary([[7, 3, 7], [9]], 12);

  it('numbers them in their order', () => {
    expect([...vocabulary.ids]).to.deep.equal([3, 7, 9]);
    expect([...vocabulary.counts]).to.deep.equal([1, 2, 1]);
    expect([...vocabulary.numbersOf(Int32Array.of(9, 7, 7, 3))]).to.deep.equal([2, 1, 1, 0]);
  });

  it('gives every id a row: its own, or nearly the mean of the rarest', () => {
    manualSeed(3);
    const rows = randn(3, 64);
    const all = vocabulary.forAllIds(rows);
    expect(all.shape).to.deep.equal([12, 64]);
    expectTensor(all.indexSelect(0, [3, 7, 9]), rows);
    const others = all.indexSelect(0, [0, 1, 2, 4, 5, 6, 8, 10, 11]).sub(rows.indexSelect(0, [0]));
    expect(others.std().item()).to.be.closeTo(0.02, 0.002);
  });
});
