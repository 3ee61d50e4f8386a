import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  classNames,
  prepareMessages,
  showPreparing,
  stratifiedSplit,
} from '../../../chapters/chapter06/index.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { writeParts } from '../../../chapters/datasets/index.ts';
import { failure } from '../../support/failure.ts';

const TABLES = fileURLToPath(new URL('../../fixtures/tables/', import.meta.url));
const LABELS = ['billing', 'delivery', 'returns & refunds', '技術'];

describe("one's own data", () => {
  const folder = mkdtempSync(join(tmpdir(), 'own-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i));

  it('is the same run from CSV, TSV, JSON lines, and parquet with every codec', async () => {
    const prepare = (name: string) => prepareMessages({ data: join(TABLES, name), contextLength: 256 });
    const expected = await prepare('texts.csv');
    expect(expected.labels).to.deep.equal(LABELS);
    expect(expected.parts.train.length + expected.parts.valid.length + expected.parts.test.length).to.equal(
      40,
    );
    const all = Object.values(expected.parts).flat();
    expect(all.map(({ text }) => text)).to.include.members([
      'I was charged twice, "again", on 0',
      'error 37: "no\r\nsignal"',
      'Ich möchte Gerät 6 zurückgeben 🙁',
    ]);
    const names = ['texts.tsv', 'texts.jsonl'];
    const codecs = ['zstd', 'snappy', 'gzip', 'brotli', 'lz4', 'uncompressed'];
    for (const name of [...names, ...codecs.map((codec) => `${codec}.parquet`)]) {
      const { parts, labels, found } = await prepare(name);
      expect({ parts, labels, found }, name).to.deep.equal({
        ...{ parts: expected.parts, labels: expected.labels, found: expected.found },
      });
    }
  });

  it('says what it found, and what is cut', async () => {
    const data = join(TABLES, 'texts.csv');
    const { found, maxLength } = await prepareMessages({ data, contextLength: 256 });
    expect(found![0]).to.match(
      /^40 rows in 4 classes: billing \d+, delivery \d+, returns & refunds \d+, 技術 \d+$/,
    );
    expect(found![2]).to.equal(`All are filled up to ${maxLength} tokens; none is cut`);
    const cut = await prepareMessages({ data, contextLength: 8 });
    expect(cut.maxLength).to.equal(8);
    expect(cut.found![2]).to.match(/All get 8 tokens: \d+ of \d+ are longer/);
  });

  it('has every class in every part, in its share; or is split as pandas does', async () => {
    const all = rows(100, (i) => `${i % 5 === 0 ? 'rare' : 'common'}`);
    const { train, validation, test } = stratifiedSplit(all, 0.7, 0.1, (label) => label, 42);
    const rare = (part: string[]) => part.filter((label) => label === 'rare').length;
    expect([train, validation, test].map((part) => [part.length, rare(part)])).to.deep.equal([
      [70, 14],
      [10, 2],
      [20, 4],
    ]);
    const data = file(
      'numbers.csv',
      ['text,label', ...rows(30, (i) => `text ${i},${10 - (i % 3)}`)].join('\n'),
    );
    const { labels, parts } = await prepareMessages({ data, split: 'random', seed: 1 });
    expect(labels).to.deep.equal(['8', '9', '10']);
    expect([parts.train.length, parts.valid.length, parts.test.length]).to.deep.equal([21, 3, 6]);
  });

  it('takes ready-made validation and test tables', async () => {
    const table = (name: string, count: number) =>
      file(name, ['Text;Class', ...rows(count, (i) => `${name} ${i};${i % 2 ? 'yes' : 'no'}`)].join('\r\n'));
    const options = {
      data: table('a.csv', 20),
      validationData: table('b.csv', 4),
      testData: table('c.csv', 6),
    };
    const { parts } = await prepareMessages(options);
    expect([parts.train.length, parts.valid.length, parts.test.length]).to.deep.equal([20, 4, 6]);
    expect(parts.test[1]).to.deep.equal({ text: 'c.csv 1', label: 1 });
    const { testData: _, ...partly } = options;
    const cut = (await prepareMessages(partly)).parts;
    expect([cut.train.length, cut.valid.length, cut.test.length]).to.deep.equal([16, 4, 4]);
  });

  it('is asked for one thing at a time where it is wrong', async () => {
    const csv = (name: string, ...lines: string[]) => file(name, lines.join('\n'));
    const wrong = (data: string, options = {}) => failure(prepareMessages({ data, ...options }));
    const good = rows(10, (i) => `text ${i},${i % 2 ? 'a' : 'b'}`);

    expect(await wrong(join(folder, 'none.csv'))).to.match(/none\.csv does not exist/);
    expect(await wrong(csv('empty.csv', ''))).to.match(/empty\.csv is empty/);
    expect(await wrong(csv('header.csv', 'text,label'))).to.match(/no rows below/);
    expect(await wrong(csv('names.csv', 'a,b', ...good))).to.match(
      /which column is it\? it has 'a', 'b'; say so with --text-column/,
    );
    const options = { textColumn: 'txt' };
    expect(await wrong(csv('named.csv', 'text,label', ...good), options)).to.match(
      /has no column 'txt'; it has 'text', 'label'/,
    );
    expect(await wrong(csv('comma.csv', 'text,label', ...good, 'one, two,a'))).to.match(
      /comma\.csv, line 12: it has 3 fields.*quotation marks/,
    );
    expect(await wrong(csv('quote.csv', 'text,label', ...good, '"open,a'))).to.match(
      /quote\.csv, line 12: a quotation mark opens a text that nothing closes/,
    );
    expect(await wrong(csv('hole.csv', 'text,label', ...good, ',a'))).to.match(
      /hole\.csv, line 12, column 'text': the text is empty/,
    );
    expect(await wrong(csv('unlabelled.csv', 'text,label', ...good, 'x,'))).to.match(
      /unlabelled\.csv, line 12, column 'label'.*not nothing/,
    );
    expect(await wrong(csv('one.csv', 'text,label', ...rows(10, (i) => `text ${i},a`)))).to.match(
      /all 10 rows are of the class 'a'/,
    );
    expect(await wrong(csv('ids.csv', 'text,label', ...rows(10, (i) => `text ${i},${i}`)))).to.match(
      /10 different classes.*--label-column/,
    );
    expect(await wrong(csv('few.csv', 'text,label', ...good, 'x,c'))).to.match(
      /few\.csv, line 12: the class 'c' has one text: three different ones are needed/,
    );
    expect(await wrong(csv('bad.jsonl', '{"text": "a", "label": 1}', '{"text": '))).to.match(
      /bad\.jsonl, line 2: it is not JSON/,
    );
    expect(await wrong(csv('list.jsonl', '["a", 1]'))).to.match(/line 1: an object such as/);
    expect(await wrong(csv('number.jsonl', '{"text": 5, "label": "a"}'))).to.match(
      /number\.jsonl, line 1, column 'text': a text is expected, not 5/,
    );
    expect(await wrong(file('latin.csv', Buffer.from('text,label\nö,a', 'latin1')))).to.match(
      /not text in UTF-8/,
    );
    expect(await wrong(csv('cut.parquet', 'PAR1'))).to.match(/not a readable parquet file/);
    const testData = csv('other.csv', 'text,label', 'x,z');
    expect(await wrong(csv('train.csv', 'text,label', ...good), { testData })).to.match(
      /other\.csv, line 2: there is nothing to learn the class 'z' from/,
    );
    expect(await wrong('stand-in', { labelColumn: 'x' })).to.match(/--label-column is for a table.*\.csv/);
    expect(await wrong(csv('twice.csv', 'text,text', 'a,b'))).to.match(/two columns are called 'text'/);
  });

  it('joins the spellings of a class, and says so', async () => {
    const lines = rows(30, (i) => `text ${i},${['billing', ' Billing', 'delivery '][i % 3]}`);
    const data = file('spellings.csv', ['text,label', ...lines].join('\n'));
    const { labels, notes } = await prepareMessages({ data });
    expect(labels).to.deep.equal(['billing', 'delivery']);
    expect(notes).to.deep.equal(["One class under several names: 'Billing' (10) counts as 'billing'"]);
  });

  it('keeps copies of a text in one part; where the parts are given, or cut as pandas does, counts them', async () => {
    const lines = rows(40, (i) => `text ${i % 20},${i % 2 ? 'a' : 'b'}`);
    const data = file('copies.csv', ['text,label', ...lines].join('\n'));
    const { parts, notes } = await prepareMessages({ data });
    const texts = (part: { text: string }[]) => new Set(part.map(({ text }) => text));
    for (const text of texts(parts.test)) {
      expect(texts(parts.train).has(text), text).to.equal(false);
      expect(texts(parts.valid).has(text), text).to.equal(false);
    }
    expect([parts.train.length, parts.valid.length, parts.test.length]).to.deep.equal([28, 4, 8]);
    expect(notes?.join()).to.match(/^20 rows are copies of a text above them/);

    const random = await prepareMessages({ data, split: 'random' });
    expect([random.parts.test.length, random.notes]).to.deep.equal([8, []]);
    const shown: string[] = [];
    showPreparing(new Notebook('test', (line) => shown.push(line)), random);
    const learnt = texts(random.parts.train);
    const copies = random.parts.test.filter(({ text }) => learnt.has(text)).length;
    expect(copies).to.be.above(0);
    expect(shown.join('\n')).to.include(
      `(${copies} of the 8 texts of the test part are in the training part too, word for word)`,
    );
  });

  it('names a text that stands under several classes', async () => {
    const lines = [...rows(20, (i) => `text ${i},${i % 2 ? 'a' : 'b'}`), 'text 3,b'];
    const { found } = await prepareMessages({ data: file('both.csv', ['text,label', ...lines].join('\n')) });
    expect(found).to.include('1 text stands under more than one class: “text 3”');
  });

  it('is written by npm run data with the names of its classes, and read with them', async () => {
    const data = join(TABLES, 'texts.csv');
    const { parts, labels, found } = await prepareMessages({ data, contextLength: 256 });
    const out = join(folder, 'written');
    await writeParts(out, parts, false, labels);
    const again = await prepareMessages({ data: out, contextLength: 256 });
    expect(again).to.deep.include({ parts, labels, found, source: out });
    await writeParts(join(folder, 'other'), parts, false, ['a', 'b', 'c', 'd']);
    copyFileSync(join(folder, 'other', 'test.parquet'), join(out, 'test.parquet'));
    expect(await failure(prepareMessages({ data: out }))).to.match(
      /test\.parquet was not written together with/,
    );
  });

  it("leaves the book's own file alone, whatever it is called", async () => {
    const lines = rows(40, (i) => `${i % 2 ? 'spam' : 'ham'}\tmessage ${i}`).join('\n');
    const prepared = await prepareMessages({
      data: file('SMSSpamCollection.tsv', lines),
      print: () => {},
    });
    expect(classNames(prepared)).to.deep.equal(['ham', 'spam']);
    expect(prepared.found).to.equal(undefined);
  });
});
