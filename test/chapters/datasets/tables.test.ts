import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { isTable, readOwnTexts } from '../../../chapters/datasets/index.ts';
import { failure } from '../../support/failure.ts';

const WANTED = [
  { text: 'Hello, you', label: 'ham' },
  { text: 'He said "now"; win | lose', label: 'spam' },
  { text: 'two\nlines', label: 'ham' },
];

describe("one's own table", () => {
  const folder = mkdtempSync(join(tmpdir(), 'tables-'));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, `${++files}-${name}`);
    writeFileSync(path, content);
    return path;
  };
  const read = async (name: string, content: string | Uint8Array, notes: string[] = []) =>
    (await readOwnTexts(file(name, content), {}, (line) => notes.push(line))).map(({ text, label }) => ({
      text,
      label,
    }));
  const refusal = (name: string, content: string | Uint8Array) =>
    failure(readOwnTexts(file(name, content), {}));

  it('is read with any separator, any mixture of line ends, and a byte order mark', async () => {
    const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
    const ends = fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 4, maxLength: 4 });
    const separators = fc.constantFrom(',', ';', '\t', '|');
    await fc.assert(
      fc.asyncProperty(separators, ends, fc.boolean(), async (separator, lineEnds, hasMark) => {
        const rows = [['text', 'label'], ...WANTED.map(({ text, label }) => [quoted(text), label])];
        const body = rows.map((fields, i) => fields.join(separator) + lineEnds[i]).join('');
        expect(await read('any.csv', (hasMark ? '\ufeff' : '') + body)).to.deep.equal(WANTED);
      }),
      { numRuns: 50 },
    );
  });

  it('is read as UTF-16 where a mark says so, as a spreadsheet writes it', async () => {
    const text = '\ufefftext\tlabel\r\nmañana\tham\r\n';
    expect(await read('utf16.tsv', Buffer.from(text, 'utf16le'))).to.deep.equal([
      { text: 'mañana', label: 'ham' },
    ]);
    expect(await read('utf16be.csv', Buffer.from(text, 'utf16le').swap16())).to.deep.equal([
      { text: 'mañana', label: 'ham' },
    ]);
  });

  it('is read as a list of objects or an object on each line, whatever the ending says', async () => {
    const list = JSON.stringify(WANTED, null, 2);
    const lines = WANTED.map((row) => JSON.stringify(row)).join('\r\n');
    for (const name of ['a.json', 'a.jsonl', 'a.ndjson', 'a.csv', 'a.txt', 'a']) {
      expect(await read(name, list), name).to.deep.equal(WANTED);
      expect(await read(name, lines), name).to.deep.equal(WANTED);
      expect(isTable(file(name, list)), name).to.equal(true);
    }
    expect(isTable(file('SMSSpamCollection', 'ham\tHello\n'))).to.equal(false);
  });

  it('is read without the columns that have no name, which a line names', async () => {
    const notes: string[] = [];
    const kaggle = 'v1,v2,,,\nham,"Hello, you",,,\nspam,Win,, and more,\nham,Short\n,,,,\n';
    expect(await read('spam.csv', kaggle, notes)).to.deep.equal([
      { text: 'Hello, you', label: 'ham' },
      { text: 'Win', label: 'spam' },
      { text: 'Short', label: 'ham' },
    ]);
    expect(notes).to.have.length(1);
    expect(notes[0]).to.match(
      /spam\.csv: 3 columns without a name are left out: 1 rows? ha(s|ve) something there$/,
    );
    // pandas writes the numbers of the rows into such a column.
    expect(await read('index.csv', ',text,label\n0,Hello,ham\n')).to.deep.equal([
      { text: 'Hello', label: 'ham' },
    ]);
  });

  it('is read with quotation marks that stand within a text', async () => {
    expect(await read('inch.csv', 'text,label\na 5" nail,ham\n')).to.deep.equal([
      { text: 'a 5" nail', label: 'ham' },
    ]);
  });

  it('has blanks around the name of a class taken away', async () => {
    expect(await read('blanks.csv', 'text,label\n a , ham \n')).to.deep.equal([
      { text: ' a ', label: 'ham' },
    ]);
  });

  it("names the file's own line, that of the row's beginning", async () => {
    const rows = 'text,label\r\n\r\n"two\nlines",ham\n';
    expect(await refusal('a.csv', `${rows}x\n`)).to.match(
      /a\.csv, line 5: it has 1 field, and the first line names 2/,
    );
    expect(await refusal('a.csv', `${rows}"a\nb",\n`)).to.match(/a\.csv, line 5, column 'label'/);
    expect(await refusal('a.csv', `${rows}a,b\n"open,b\nc,d\n`)).to.match(
      /a\.csv, line 6: a quotation mark opens/,
    );
    expect(await refusal('a.jsonl', '{"text":"a","label":1}\n\n{"text":"","label":2}\n')).to.match(
      /a\.jsonl, line 3, column 'text'/,
    );
    expect(await refusal('a.json', '[{"text":"a","label":1},{"text":"b"}]')).to.match(
      /a\.json, entry 2, column 'label'/,
    );
  });

  it('is refused in one true line', async () => {
    const cases: [string, string | Uint8Array, RegExp][] = [
      [
        'a.csv',
        'text,label\nhello;ham\n',
        /line 2: .*this line has semicolons, the first one commas: use one of them/,
      ],
      ['a.csv', 'text^label\nhello^ham\n', /has one column, 'text\^label'; two are needed/],
      [
        'a.json',
        '{"text":{"0":"a"},"label":{"0":"b"}}',
        /is an object of columns; a list of objects is expected/,
      ],
      ['a.json', '[{"text":"a","label":"b"}', /a\.json is not readable JSON/],
      ['a.json', '["a","b"]', /line 1: an object such as/],
      ['a.json', '[]', /no such|has none|has no rows|which column/],
      ['a.csv', 'text,text\na,b\n', /two columns are called 'text'/],
      ['a.xlsx', 'PK', /is a spreadsheet: save it as CSV/],
      [
        'a.csv',
        Buffer.from('text,label\nma\xf1ana,ham\n', 'latin1'),
        /not text in UTF-8: convert it \(iconv/,
      ],
      [
        'a.csv',
        Buffer.from('text,label\na,b\n', 'utf16le'),
        /characters of the number 0, as UTF-16 without its mark/,
      ],
      [
        'a.csv',
        `text,label\n${'x'.repeat(20_001)},b\n`,
        /line 2, column 'text': it has a word of more than 20,000 characters/,
      ],
      ['a.json', '[{"text":"a","label":12345678901234567890}]', /entry 1, .*'label': a number of this size/],
      [
        'a.jsonl',
        '{"text":"a","label":1e999}',
        /line 1, .*'label': a number of this size is not kept exactly/,
      ],
      ['a.csv', 'text,label\na,b,c\n', /line 2: it has 3 fields, and the first line names 2 columns/],
    ];
    for (const [name, content, line] of cases) expect(await refusal(name, content)).to.match(line);
  });
});
