import { expect } from 'chai';
import fc from 'fast-check';
import { nearest } from '../../../chapters/common/command-line.ts';

const NAMES = ['rank', 'alpha', 'max-length', 'batch-size', 'weights', 'random-weights', 'lr', 'out'];

describe('the nearest name', () => {
  it('is the name itself, in whatever writing', () => {
    for (const name of NAMES) expect(nearest(name, NAMES)).to.equal(name);
    expect(nearest('maxLength', NAMES)).to.equal('max-length');
    expect(nearest('batch_size', NAMES)).to.equal('batch-size');
  });

  it('survives one slip of the finger in a name of four letters or more', () => {
    const slips = fc.record({
      name: fc.constantFrom(...NAMES.filter((name) => name.length >= 4)),
      place: fc.nat(100),
      kind: fc.constantFrom('lost', 'wrong', 'exchanged', 'added'),
    });
    fc.assert(
      fc.property(slips, ({ name, place, kind }) => {
        const at = place % (name.length - 1);
        const [before, letter, after] = [name.slice(0, at), name[at], name.slice(at + 1)];
        const slipped = {
          lost: before + after,
          wrong: `${before}q${after}`,
          exchanged: before + after[0] + letter + after.slice(1),
          added: `${before}q${letter}${after}`,
        }[kind];
        expect(nearest(slipped, NAMES)).to.equal(name);
      }),
    );
  });

  it('is nothing where nothing is near', () => {
    for (const word of ['x', 'learning', 'epochs', 'help']) expect(nearest(word, NAMES)).to.equal(undefined);
  });
});
