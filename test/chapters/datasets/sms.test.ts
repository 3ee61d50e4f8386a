import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { createBalancedDataset, randomSplit } from '../../../chapters/chapter06/index.ts';
import { type Message, parseSms } from '../../../chapters/datasets/index.ts';
import { UserError } from '../../../lib/errors.ts';

// Written by test/fixtures/sms_split.py with pandas.
const fixture = JSON.parse(readFileSync(new URL('../../fixtures/sms-split.json', import.meta.url), 'utf8'));

const parse = (content: string) =>
  parseSms(new TextEncoder().encode(content), 'sms.txt').map(({ label, text }) => [label, text]);

describe('parseSms', () => {
  // What pandas.read_csv(sep='\t', header=None, keep_default_na=False) returns for each.
  const cases: [string, string, string[][]][] = [
    [
      'plain lines',
      'ham\thello\nspam\twin\n',
      [
        ['ham', 'hello'],
        ['spam', 'win'],
      ],
    ],
    ['no newline at the end', 'ham\thello', [['ham', 'hello']]],
    [
      'blank lines and CRLF',
      'ham\ta\r\n\r\n\nham\tb\r\n',
      [
        ['ham', 'a'],
        ['ham', 'b'],
      ],
    ],
    [
      'an empty text',
      'ham\t\nham\tb',
      [
        ['ham', ''],
        ['ham', 'b'],
      ],
    ],
    ['a quotation', 'ham\t"a b"\n', [['ham', 'a b']]],
    ['text after a quotation', 'ham\t"a" b "c"\n', [['ham', 'a b "c"']]],
    ['doubled quotes', 'ham\t"a ""b"" c"\n', [['ham', 'a "b" c']]],
    ['quotes that do not begin the text', 'ham\tsay "a"\n', [['ham', 'say "a"']]],
    [
      'a quotation over lines',
      'ham\t"a\nham\tb" c\nham\td\n',
      [
        ['ham', 'a\nham\tb c'],
        ['ham', 'd'],
      ],
    ],
    ['CRLF in a quotation', 'ham\t"a\r\nham\tb"\n', [['ham', 'a\r\nham\tb']]],
    ['characters beyond ASCII', 'ham\t£5 ü 😀\n', [['ham', '£5 ü 😀']]],
    ['a byte order mark', '\ufeffham\ta\n', [['ham', 'a']]],
    [
      'a line of blanks',
      'ham\ta\n   \nham\tb\n',
      [
        ['ham', 'a'],
        ['ham', 'b'],
      ],
    ],
    ['nothing', '', []],
  ];
  for (const [what, content, rows] of cases) {
    it(`reads ${what} as pandas`, () => expect(parse(content)).to.deep.equal(rows));
  }

  it('reads back any messages without quotes or line ends', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((s) => !/["\t\r\n]/.test(s));
    const rows = fc.array(fc.tuple(fc.constantFrom('ham', 'spam'), text));
    fc.assert(
      fc.property(rows, (messages) => {
        const content = messages.map((row) => `${row.join('\t')}\n`).join('');
        expect(parse(content)).to.deep.equal(messages);
      }),
    );
  });

  it('names the message that is wrong', () => {
    const refuses = (content: string, message: string) => {
      expect(() => parse(content)).to.throw(UserError, message);
      expect(() => parse(content)).to.throw(/^sms.txt[^\n]+$/);
    };
    refuses('ham\ta\neggs\tb\n', "sms.txt, message 2: the label must be 'ham' or 'spam', not 'eggs'");
    refuses('ham a\n', "message 1: expected 'ham' or 'spam', a tab, the text, not 'ham a'");
    refuses('ham\ta\tb\n', "expected 'ham' or 'spam', a tab, the text, not 'ham\\ta\\tb'");
    refuses(`<html>${'x'.repeat(100)}</html>`, `not '<html>${'x'.repeat(34)}…'`);
    refuses('ham\t"a\nham\tb\n', 'ends inside a quotation');
    expect(() => parseSms(Uint8Array.of(0x68, 0xff), 'sms.txt')).to.throw(
      UserError,
      'sms.txt is not text in UTF-8',
    );
  });
});

describe('createBalancedDataset and randomSplit', () => {
  for (const { n, train, validation, test, cuts } of fixture.sizes) {
    it(`cut ${n} rows as pandas and int() do`, () => {
      const rows = Array.from({ length: n }, (_, i) => i);
      const split = randomSplit(rows, 0.7, 0.1, 42);
      if (cuts) {
        const [trainEnd, validationEnd] = cuts;
        expect(split.train).to.have.length(trainEnd);
        expect(split.validation).to.have.length(validationEnd - trainEnd);
        expect(split.test).to.have.length(n - validationEnd);
      } else {
        expect(split).to.deep.equal({ train, validation, test });
      }
    });
  }

  it('balance by drawing ham, then all spam in its order', () => {
    const messages: Message[] = Array.from({ length: 50 }, (_, i) => ({
      label: i % 5 === 0 ? 'spam' : 'ham',
      text: `${i}`,
    }));
    const balanced = createBalancedDataset(messages, 1);
    const texts = balanced.map((message) => message.text);
    expect(balanced.slice(0, 10).every((message) => message.label === 'ham')).to.equal(true);
    expect(new Set(texts).size).to.equal(20);
    expect(texts.slice(10)).to.deep.equal(['0', '5', '10', '15', '20', '25', '30', '35', '40', '45']);
  });

  it('refuse what cannot be balanced or cut', () => {
    const ham: Message = { label: 'ham', text: '' };
    const spam: Message = { label: 'spam', text: '' };
    expect(() => createBalancedDataset([])).to.throw(UserError, 'cannot balance 0 ham and 0 spam');
    expect(() => createBalancedDataset([ham])).to.throw(UserError, 'cannot balance 1 ham and 0 spam');
    expect(createBalancedDataset([ham, spam, spam])).to.deep.equal([ham, spam]);
    expect(() => randomSplit([1], 0.8, 0.3)).to.throw(UserError, 'together at most 1, not 0.8 and 0.3');
    expect(() => randomSplit([1], -0.1, 0.3)).to.throw(UserError, 'at least 0');
  });
});

describe('the real collection (set SMS_SPAM_COLLECTION to its path)', () => {
  const path = process.env.SMS_SPAM_COLLECTION ?? '';
  const hash = (rows: readonly Message[]) => {
    const lines = rows.map(({ label, text }) => `${label}\t${JSON.stringify(text)}`);
    return createHash('sha256').update(lines.join('\n')).digest('hex');
  };
  const longest = (rows: readonly Message[]) => Math.max(...rows.map(({ text }) => encode(text).length));
  let messages: Message[];

  before(function () {
    if (!existsSync(path)) this.skip(); // it may not be distributed with the project
    messages = parseSms(readFileSync(path), path);
  });

  it('is read as pandas reads it', () => {
    expect(messages).to.have.length(5572);
    expect(hash(messages)).to.equal(fixture.all);
  });

  for (const [seed, expected] of Object.entries<Record<string, string>>(fixture.seeds)) {
    it(`is balanced and split as pandas does with seed ${seed}`, () => {
      const balanced = createBalancedDataset(messages, Number(seed));
      const { train, validation, test } = randomSplit(balanced, 0.7, 0.1, Number(seed));
      const hashes = [balanced, train, validation, test].map(hash);
      expect(hashes).to.deep.equal([expected.balanced, expected.train, expected.validation, expected.test]);
    });
  }

  it("has the longest messages of the mission's and the book's notebooks", () => {
    const lengths = [42, 123].map((seed) => {
      const { train, validation, test } = randomSplit(createBalancedDataset(messages, seed), 0.7, 0.1, seed);
      return [train, validation, test].map(longest);
    });
    expect(lengths).to.deep.equal([
      [109, 137, 120],
      [120, 71, 92],
    ]);
  });
});
