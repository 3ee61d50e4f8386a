import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parquetBytes, readParquet } from '../../../chapters/datasets/parquet.ts';
import { UserError } from '../../../lib/errors.ts';
import { failure } from '../../support/failure.ts';

// Files written by pandas and pyarrow, see test/fixtures/io_files.py.
const fixture = JSON.parse(readFileSync(new URL('../../fixtures/io.json', import.meta.url), 'utf8')).parquet;

const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
after(() => rmSync(folder, { recursive: true }));

function saved(name: string, base64: string): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.from(base64, 'base64'));
  return path;
}

describe('readParquet', () => {
  for (const kind of ['snappy', 'plain']) {
    it(`reads what pandas writes (${kind})`, async () => {
      const { Label, Text } = await readParquet(saved(kind, fixture[kind]), ['Label', 'Text']);
      expect(Label.map((label, i) => [label, Text[i]])).to.deep.equal(fixture.rows);
    });
  }

  it('gives null for a missing value', async () => {
    expect(await readParquet(saved('missing', fixture.missing), ['Text'])).to.deep.equal({
      Text: ['a', null],
    });
  });

  it('names a missing column, and those there are', async () => {
    const message = await failure(readParquet(saved('plain', fixture.plain), ['Label', 'text']));
    expect(message).to.match(/plain has no column 'text'; its columns are Label, Text, Other$/);
  });

  it('refuses an integer it would have to round', async () => {
    const message = await failure(readParquet(saved('large', fixture.large), ['Label']));
    expect(message).to.include("column 'Label': 1152921504606846976 is too large");
  });

  it('names a file that is missing or no parquet file', async () => {
    const missing = await failure(readParquet(join(folder, 'none'), ['Label'], 'the training set'));
    expect(missing).to.match(/^cannot read the training set: \S+none does not exist/);
    for (const content of ['', 'Label,Text\n0,hello\n', 'PAR1 and nothing else PAR1']) {
      const path = join(folder, 'no-parquet');
      writeFileSync(path, content);
      expect(await failure(readParquet(path, ['Label']))).to.include('is not a readable parquet file');
    }
  });

  it('refuses a text with a byte that is no letter of UTF-8', async () => {
    const path = join(folder, 'letters');
    writeFileSync(path, parquetBytes(path, [{ name: 'Text', type: 'string', data: ['né', 'mañana'] }]));
    const whole = readFileSync(path);
    whole[whole.indexOf('mañana') + 2] = 0xff;
    writeFileSync(path, whole);
    expect(await failure(readParquet(path, ['Text']))).to.match(/not a readable parquet file \(.*utf-8/i);
  });

  it('never fails with more than one line, wherever the file is cut or damaged', async () => {
    for (const kind of ['snappy', 'plain']) {
      const whole = Buffer.from(fixture[kind], 'base64');
      const path = join(folder, 'damaged');
      for (let length = 0; length < whole.length; length += 37) {
        writeFileSync(path, whole.subarray(0, length));
        await failure(readParquet(path, ['Label', 'Text']));
      }
      for (let place = 4; place < whole.length; place += 41) {
        const damaged = Buffer.from(whole);
        damaged[place] ^= 0x5a;
        writeFileSync(path, damaged);
        await readParquet(path, ['Label', 'Text']).catch((error) =>
          expect(error).to.be.instanceOf(UserError),
        );
      }
    }
  });
});

describe('parquetBytes', () => {
  it('writes what readParquet reads', async () => {
    const path = join(folder, 'own.parquet');
    const texts = ['Hello', '', 'two\nlines "and" a\ttab', 'Straße £5 😀'];
    for (const n of [0, 1, 4, 2500]) {
      const data = Array.from({ length: n }, (_, i) => texts[i % 4] + (n > 4 ? i : ''));
      const label = Int32Array.from(data, (_, i) => i % 2);
      const columns = [
        { name: 'Label', type: 'int64', data: label },
        { name: 'Text', type: 'string', data },
      ] as const;
      writeFileSync(path, parquetBytes(path, columns));
      expect(await readParquet(path, ['Text', 'Label'])).to.deep.equal({
        Text: data,
        Label: Array.from(label),
      });
    }
  });

  it('refuses columns of different lengths', () => {
    const uneven = () =>
      parquetBytes('uneven.parquet', [
        { name: 'Label', type: 'int64', data: [1] },
        { name: 'Text', type: 'string', data: [] },
      ]);
    expect(uneven).to.throw(UserError, 'its columns differ in length (Label 1, Text 0)');
  });
});
