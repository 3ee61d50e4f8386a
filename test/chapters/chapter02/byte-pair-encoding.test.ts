import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { BytePairTokeniser, mergePair } from '../../../chapters/chapter02/09-byte-pair-encoding.ts';
import { gpt2FromFiles, gpt2FromTokens, visibleBytes } from '../../../chapters/chapter02/gpt2-merges.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, tokeniser } from '../../../chapters/chapter02/index.ts';
import { standInMessages } from '../../../chapters/datasets/standin/standin.ts';
import { UserError } from '../../../lib/index.ts';
import { Generator } from '../../../lib/random/index.ts';

/** Characters to compare on, of each kind of text; a million where it is to be certain. */
const CHARACTERS = Number(process.env.LLMS_FUZZ ?? 60_000);

/** A folder with OpenAI's vocab.bpe and encoder.json. */
const GPT2_FILES = process.env.LLMS_GPT2_BPE;

/** Blocks of Unicode from which runs of characters are drawn: all of it, with what a text is made of more often. */
const BLOCKS = [
  [0x20, 0x7f], // ASCII
  [0x30, 0x3a], // digits
  [0x00, 0x250], // control characters, Latin
  [0x250, 0x600], // phonetic, combining, Greek, Cyrillic, Hebrew
  [0x600, 0x1000], // Arabic, India
  [0x2000, 0x2c00], // spaces, punctuation, symbols
  [0x3000, 0xd7ff], // East Asia
  [0xd800, 0xe000], // surrogates: alone they are no character
  [0xe000, 0x10000], // private use, presentation forms, the byte order mark
  [0x1f300, 0x1fb00], // pictures
  [0x10000, 0x110000], // all the rest
] as const;
const SEPARATORS = ['', ' ', '  ', '\n', '\t ', "'s", "'LL ", ' 7'];

function randomText(length: number, generator: Generator): string {
  const draw = (limit: number) => generator.randint(1, 0, limit)[0];
  let text = '';
  while (text.length < length) {
    const [low, high] = BLOCKS[draw(BLOCKS.length)];
    for (let n = draw(12); n >= 0; n--) text += String.fromCodePoint(low + draw(high - low));
    text += SEPARATORS[draw(SEPARATORS.length)];
  }
  return text;
}

/** The sources of this library, as one text. */
function sourceCode(): string {
  const lib = fileURLToPath(new URL('../../../lib/', import.meta.url));
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files
    .sort()
    .map((file) => readFileSync(join(lib, file), 'utf8'))
    .join('\n');
}

/** The text over and over, up to that length. */
function upTo(length: number, text: string): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}

describe('chapter 2: byte pair encoding by hand', () => {
  const gpt2 = gpt2FromTokens();

  function expectAgreement(text: string): void {
    // In pieces, so that a difference is shown with its surroundings.
    for (let i = 0; i < text.length; i += 400) {
      const piece = text.slice(i, i + 400);
      expect(gpt2.encode(piece), JSON.stringify(piece)).to.deep.equal(encode(piece));
      expect(tokeniser.encode(piece)).to.deep.equal(encode(piece));
    }
  }

  describe(`agrees with gpt-tokenizer, ${CHARACTERS.toLocaleString('en')} characters each`, function () {
    this.timeout(600_000);
    // The two characters that JavaScript and Unicode do not agree on as white space are left out: see below.
    it('of random Unicode', () =>
      expectAgreement(randomText(CHARACTERS, new Generator(2024)).replace(/[\ufeff\u0085]/g, '')));
    it('of short messages', () => {
      const path = process.env.LLMS_SMS;
      const messages = path
        ? readFileSync(path, 'utf8')
        : standInMessages()
            .map(({ text }) => text)
            .join('\n');
      expectAgreement(upTo(CHARACTERS, messages));
    });
    it('of source code', () => expectAgreement(upTo(CHARACTERS, sourceCode())));
  });

  it('cuts at the white space of Unicode, as tiktoken does', () => {
    // What tiktoken 0.14 answers.
    const wanted: [text: string, ids: number[]][] = [
      ['a\ufeffb', [64, 171, 119, 123, 65]],
      ['a \ufeff b', [64, 27332, 119, 123, 275]],
      ['\ufeff\ufeff', [171, 119, 123, 171, 119, 123]],
      ['a\u0085b', [64, 126, 227, 65]],
      ['a\u0085\u0085 b', [64, 126, 227, 126, 227, 275]],
      ['x \u0085', [87, 1587, 227]],
      ['q\u0085\ufeff é', [80, 126, 227, 171, 119, 123, 38251]],
      ['a\u00a0b', [64, 1849, 65]],
      ['a\u3000\u3000b', [64, 5099, 222, 5099, 222, 65]],
      ['a\u180eb', [64, 157, 254, 236, 65]],
      ['a\u2028 b', [64, 447, 101, 275]],
      ['a\x1c\x1db', [64, 216, 217, 65]],
    ];
    for (const [text, ids] of wanted) {
      expect(gpt2.encode(text), JSON.stringify(text)).to.deep.equal(ids);
      expect(tokeniser.encode(text), JSON.stringify(text)).to.deep.equal(ids);
    }
  });

  it('merges long pieces, and pieces that are kept, as mergeInOrder does', () => {
    const texts = [
      'a'.repeat(3000),
      'abcab'.repeat(500),
      '\u4f60\u597d'.repeat(300),
      'x'.repeat(51),
      'ab'.repeat(25),
    ];
    for (const text of [...texts, ...texts, 'a'.repeat(3000)])
      expect(tokeniser.encode(text)).to.deep.equal(gpt2.encode(text));
  });

  it('gives well-formed text back, whatever it is', () => {
    // Through UTF-8, where half a surrogate pair becomes �.
    const text = Buffer.from(randomText(20_000, new Generator(7))).toString();
    expect(gpt2.decode(gpt2.encode(text))).to.equal(text);
    expect(tokeniser.decode(tokeniser.encode(text))).to.equal(text);
  });

  it('treats the end of a text as tiktoken does', () => {
    const text = `one${END_OF_TEXT}two`;
    expect(() => gpt2.encode(text)).to.throw(UserError);
    const ids = gpt2.encode(text, { allowedSpecial: [END_OF_TEXT] });
    expect(ids).to.deep.equal([505, END_OF_TEXT_ID, 11545]);
    expect(gpt2.decode(ids)).to.equal(text);
    expect(gpt2.vocabSize).to.equal(tokeniser.vocabSize);
  });

  it('merges from left to right', () => {
    expect(mergePair([1, 1, 1, 2, 1], 1, 1, 9)).to.deep.equal([9, 1, 2, 1]);
    expect(mergePair([], 1, 1, 9)).to.deep.equal([]);
  });
});

describe('chapter 2: learning merges', () => {
  it('takes the most frequent pair first', () => {
    const text = 'low low low lower lowest';
    const learnt = BytePairTokeniser.train(text, 260);
    const made = learnt.merges.map((_, n) => learnt.decode([256 + n]));
    expect(made).to.deep.equal(['lo', 'low', ' low']);
    expect(learnt.encode(text).map((id) => learnt.decode([id]))).to.deep.equal([
      'low',
      ' low',
      ' low',
      ' low',
      'e',
      'r',
      ' low',
      'e',
      's',
      't',
    ]);
  });

  it('stops when nothing occurs twice, and never merges across words', () => {
    expect(BytePairTokeniser.train('abcd', 1000).merges).to.deep.equal([]);
    const learnt = BytePairTokeniser.train('a b '.repeat(50), 1000);
    for (const bytes of learnt.tokenBytes) expect(bytes.length).to.be.at.most(2);
  });

  it('is itself again from its merges', () => {
    const learnt = BytePairTokeniser.train(sourceCode().slice(0, 20_000), 400);
    expect(learnt.vocabSize).to.equal(400);
    const again = new BytePairTokeniser(learnt.merges);
    const text = sourceCode().slice(20_000, 30_000);
    expect(again.encode(text)).to.deep.equal(learnt.encode(text));
    expect(learnt.decode(learnt.encode(text))).to.equal(text);
    expect(learnt.encode(text).length).to.be.below(text.length / 1.5);
  });

  it('refuses a vocabulary without room for the bytes', () => {
    expect(() => BytePairTokeniser.train('a', 256)).to.throw(UserError, 'need 257');
  });
});

describe("chapter 2: OpenAI's files", () => {
  it('has a visible character for every byte', () => {
    const bytes = visibleBytes();
    expect(new Set(bytes.values()).size).to.equal(256);
    expect([bytes.get('A'), bytes.get('Ġ'), bytes.get('Ċ')]).to.deep.equal([0x41, 0x20, 0x0a]);
  });

  it('refuses files that do not belong together', () => {
    const encoder = JSON.stringify({ [END_OF_TEXT]: 50256, a: 0, b: 1 });
    expect(() => gpt2FromFiles('#version: 0.2\na b\n', encoder)).to.throw(UserError, 'merge 1 is “a b”');
    expect(() => gpt2FromFiles('', '{"a": 0')).to.throw(UserError, 'encoder.json is not JSON');
    expect(() => gpt2FromFiles('', '{"a": 0}')).to.throw(UserError, END_OF_TEXT);
  });

  const files = GPT2_FILES ? it : it.skip;
  files(
    `give the merges that were worked out${GPT2_FILES ? '' : ' (set LLMS_GPT2_BPE to their folder)'}`,
    () => {
      const read = (name: string) => readFileSync(join(GPT2_FILES!, name), 'utf8');
      const fromFiles = gpt2FromFiles(read('vocab.bpe'), read('encoder.json'));
      expect(fromFiles.merges).to.deep.equal(gpt2FromTokens().merges);
      expect(fromFiles.tokenBytes).to.deep.equal(gpt2FromTokens().tokenBytes);
    },
  );
});
