import { expect } from 'chai';
import type { ColumnMetaData } from 'hyparquet';
import { checkPages } from '../../../chapters/datasets/parquet-pages.ts';

/** Seven bits in each byte, the lowest first. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** A page with so many values and nothing behind it: its kind, two sizes of 0, and the header of a kind of page. */
function page(kind: 'values' | 'dictionary', count: number): Uint8Array {
  const delta = kind === 'values' ? 0x2c : 0x4c; // field 5 or 7, a struct
  return Uint8Array.of(0x15, 0, 0x15, 0, 0x15, 0, delta, 0x15, ...varint(2 * count), 0, 0);
}

const RLE_DICTIONARY = 8;

/** 30 values that are positions in a dictionary, of three bits each: the levels, if there are any, then the content. */
function pageOfRuns(levels: number[], positions: number[]): Uint8Array {
  const before = levels.length > 0 ? [levels.length, 0, 0, 0, ...levels] : [];
  const content = [...before, 3, ...positions];
  const header = [
    0x15,
    0,
    0x15,
    2 * content.length,
    0x15,
    2 * content.length,
    0x2c,
    0x15,
    60,
    0x15,
    2 * RLE_DICTIONARY,
    0,
    0,
  ];
  return Uint8Array.from([...header, ...content]);
}

/** The same in the newer kind of page: how long the levels are is in its header, and they are not compressed. */
function pageOfRunsV2(levels: number[], positions: number[]): Uint8Array {
  const content = [...levels, 3, ...positions];
  const fields = [30, 0, 30, RLE_DICTIONARY, levels.length, 0].flatMap((value) => [
    0x15,
    ...varint(2 * value),
  ]);
  const sizes = [0x15, 2 * content.length, 0x15, 2 * content.length];
  return Uint8Array.from([0x15, 6, ...sizes, 0x5c, ...fields, 0x12, 0, 0, ...content]); // 0x12: it is not compressed
}

const run = (count: number, value: number) => [...varint(2 * count), value];

describe('the pages of a parquet column', () => {
  const checkWith = (definition: number, ...pages: Uint8Array[]) => {
    const bytes = Uint8Array.from(pages.flatMap((each) => [...each]));
    const column = { data_page_offset: 0n, total_compressed_size: BigInt(bytes.length), num_values: 40n };
    const plain = { ...column, codec: 'UNCOMPRESSED', type: 'BYTE_ARRAY' };
    return () => checkPages(bytes.buffer, plain as ColumnMetaData, 1000, { repetition: 0, definition });
  };
  const check = (...pages: Uint8Array[]) => checkWith(0, ...pages);

  it('have no more values than the column, so that no room is made for more', () => {
    expect(check(page('dictionary', 4), page('values', 30), page('values', 10))).not.to.throw();
    // The reader would make room for so many.
    expect(check(page('values', 30), page('values', 162_925_241))).to.throw('has 162925241 values');
    expect(check(page('dictionary', 1001))).to.throw('has 1001 values');
  });

  it('are refused where they are cut short', () => {
    expect(check(page('values', 30).slice(0, -1))).to.throw();
    expect(check(page('values', 30).slice(0, 3))).to.throw();
  });

  it('have no run that is longer than they are, so that no more is written than there is room for', () => {
    const packed = [2 * 4 + 1, ...Array(12).fill(0)]; // 4 groups of eight, three bits each
    for (const make of [pageOfRuns, pageOfRunsV2]) {
      expect(checkWith(0, make([], run(30, 5)))).not.to.throw();
      expect(checkWith(1, make(run(30, 1), [...run(10, 5), ...packed]))).not.to.throw();
      // The reader would write so many numbers.
      expect(checkWith(0, make([], run(2 ** 30, 5)))).to.throw('a run has 1073741824 numbers');
      expect(checkWith(1, make(run(31, 1), run(30, 5)))).to.throw('a run has 31 numbers');
      expect(checkWith(1, make(run(30, 1), [...run(10, 5), ...varint(2 * 2 ** 20 + 1)]))).to.throw(
        '8388608 numbers',
      );
    }
  });
});
