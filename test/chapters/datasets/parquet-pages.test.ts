import { expect } from 'chai';
import type { ColumnMetaData } from 'hyparquet';
import { checkPages } from '../../../chapters/datasets/parquet-pages.ts';

/** A page header with so many values and nothing behind it: its kind, two sizes of 0, and the header of a kind of page. */
function page(kind: 'values' | 'dictionary', count: number): Uint8Array {
  const varint: number[] = [];
  for (let rest = 2 * count; ; rest = Math.floor(rest / 128)) {
    varint.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) break;
  }
  const delta = kind === 'values' ? 0x2c : 0x4c; // field 5 or 7, a struct
  return Uint8Array.of(0x15, 0, 0x15, 0, 0x15, 0, delta, 0x15, ...varint, 0, 0);
}

describe('the pages of a parquet column', () => {
  const check = (...pages: Uint8Array[]) => {
    const bytes = Uint8Array.from(pages.flatMap((each) => [...each]));
    const column = { data_page_offset: 0n, total_compressed_size: BigInt(bytes.length), num_values: 40n };
    return () => checkPages(bytes.buffer, column as ColumnMetaData, 1000);
  };

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
});
