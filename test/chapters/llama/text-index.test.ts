import { expect } from 'chai';
import fc from 'fast-check';
import { TextIndex } from '../../../chapters/llama/model/text-index.ts';
import { io } from '../../../lib/index.ts';

/** Of few letters, so that many are the same, and some that fall into one slot of the table. */
const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '▁', '😀'), maxLength: 3 }), {
  maxLength: 60,
});

function listOf(strings: readonly string[]): io.TextList {
  let length = 0;
  const ends = strings.map((text) => {
    length += text.length;
    return length;
  });
  return new io.TextList(strings.join(''), Uint32Array.from(ends));
}

describe('an index of texts', () => {
  it('finds the first place of each that counts, and nothing else', () => {
    fc.assert(
      fc.property(texts, texts, fc.nat(3), (list, others, left) => {
        const counts = (i: number) => i % 4 !== left;
        const wanted = new Map<string, number>();
        list.forEach((text, i) => {
          if (counts(i) && !wanted.has(text)) wanted.set(text, i);
        });
        for (const from of [list, listOf(list)]) {
          const index = new TextIndex(from, counts);
          for (const text of [...list, ...others]) expect(index.get(text)).to.equal(wanted.get(text));
        }
      }),
    );
  });

  it('leaves out the holes of an array', () => {
    const holed: string[] = [];
    holed[3] = 'a';
    expect(new TextIndex(holed).get('a')).to.equal(3);
    expect(new TextIndex(holed).has('')).to.equal(false);
  });

  it('reads a list by place, in turn and as JSON', () => {
    const list = listOf(['▁a', '', '😀']);
    expect([list.length, list.at(0), list.at(1), list.at(2), list.at(3), list.at(-1)]).to.eql([
      ...[3, '▁a', '', '😀', undefined, undefined],
    ]);
    expect([...list]).to.eql(['▁a', '', '😀']);
    expect(JSON.stringify(list)).to.equal('["▁a","","😀"]');
  });
});
