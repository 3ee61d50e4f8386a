import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { BLOCK_FORMATS } from '../../lib/backend/quantised/formats.ts';
import type { StoredBlocks } from '../../lib/backend/quantised/storedBlocks.ts';
import { UserError } from '../../lib/index.ts';
import { readGguf } from '../../lib/io/gguf.ts';
import { quantisedTensor } from '../../lib/io/gguf-quantised.ts';
import type { TextList } from '../../lib/io/text-list.ts';
import { tinyGguf } from '../support/tiny-gguf.ts';

/** Made by the Python package gguf: test/fixtures/llama.py. */
const FOLDER = new URL('../fixtures/llama/', import.meta.url);
const tiny = tinyGguf();
const { blocks } = JSON.parse(readFileSync(new URL('expected.json', FOLDER), 'utf8')) as {
  blocks: Record<string, { type: number; bytes: string; numbers: number[] }>;
};

const open = (bytes: Uint8Array) => {
  const read = (begin: number, end: number, target: Uint8Array = new Uint8Array(end - begin)) => {
    target.set(bytes.subarray(begin, end));
    return target;
  };
  return readGguf(read, bytes.length, 'a file');
};

const textsOf = (bytes: Uint8Array) => [...(open(bytes).metadata.get('x.texts') as TextList)];

/** A file with one matrix, `x` of the type Q4_0, whose bytes are all 200. */
function withMatrix(rows: number, columns: number): Uint8Array {
  const bytes = new Uint8Array(96 + ((rows * columns) / 32) * 18).fill(200);
  const view = new DataView(bytes.buffer, 0, 96);
  bytes.fill(0, 0, 96);
  bytes.set(new TextEncoder().encode('GGUF'));
  view.setUint32(4, 3, true); // the version
  view.setUint32(8, 1, true); // a tensor, and no values
  view.setUint32(24, 1, true);
  bytes[32] = 'x'.charCodeAt(0);
  view.setUint32(33, 2, true); // dimensions, the innermost first
  view.setUint32(37, columns, true);
  view.setUint32(45, rows, true);
  view.setUint32(53, 2, true); // Q4_0, and from the first byte on
  return bytes;
}

describe('GGUF', () => {
  for (const [name, { type, bytes, numbers }] of Object.entries(blocks)) {
    it(`decodes blocks of ${name} as llama.cpp's own package does`, () => {
      const format = BLOCK_FORMATS.get(type)!;
      const stored = Uint8Array.from(Buffer.from(bytes, 'base64'));
      const out = new Float32Array(numbers.length);
      const view = new DataView(stored.buffer);
      for (let i = 0; i * format.numbers < numbers.length; i++) {
        format.decode(view, i * format.bytes, out, i * format.numbers);
      }
      expect(format.name).to.equal(name);
      out.forEach((x, i) => {
        expect(x, `number ${i}`).to.be.closeTo(numbers[i], 2e-6);
      });
    });
  }

  it('reads names, shapes and values', () => {
    const file = open(tiny);
    expect(file.metadata.get('general.architecture')).to.equal('llama');
    expect(file.metadata.get('llama.attention.head_count_kv')).to.equal(2);
    expect(file.tensors.get('blk.1.attn_k.weight')!.shape).to.eql([16, 32]);
    expect(file.tensors.get('blk.0.attn_q.weight')!.format!.name).to.equal('F16');
    expect(file.tensors.get('blk.0.attn_norm.weight')!.data).to.have.length(32);
  });

  it('reads every list of texts, whatever their characters', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(texts, (list) => {
        expect(textsOf(tinyGguf({ set: { 'x.texts': list } }))).to.eql(list);
      }),
      { numRuns: 5 },
    );
  });

  it('reads texts that are no UTF-8 each by itself, also where two together would be', () => {
    const bytes = tinyGguf({ set: { 'x.texts': ['▁a', 'first#', '#', 'é'] } });
    const at = Buffer.from(bytes).indexOf('first#');
    bytes[at + 5] = 0xc3; // é begins in one text, and ends in the next
    bytes[at + 6 + 8] = 0xa9;
    const found = ['▁a', 'first\ufffd', '\ufffd', 'é'];
    expect(textsOf(bytes)).to.eql(found);
    bytes[at + 6 + 8] = 0xff;
    expect(textsOf(bytes)).to.eql(found);
  });

  it('keeps a matrix in blocks as bytes of any value, and refuses one whose rows are no whole blocks', () => {
    const stored = open(withMatrix(32, 64)).tensors.get('x')!;
    const blocks = quantisedTensor(stored).storage.deviceCopy('blocks') as StoredBlocks;
    expect(blocks.bytes.dtype).to.equal('uint8');
    expect(blocks.bytes.data[0]).to.equal(200);
    expect(() => open(withMatrix(64, 16))).to.throw(
      UserError,
      "'x' has rows of 16 numbers, which are no whole blocks of 32",
    );
  });

  it('says what is wrong with files that are something else', () => {
    const version = tiny.slice();
    version[4] = 1;
    expect(() => open(version)).to.throw(UserError, 'version 1');
    expect(() => open(new TextEncoder().encode('not a model at all, just text'))).to.throw(
      UserError,
      'not a GGUF file',
    );
    expect(() => open(tiny.slice(0, tiny.length - 64))).to.throw(UserError, 'damaged or cut short');
  });

  it('says in one line that a name is damaged, whatever is in it', () => {
    const bytes = tiny.slice();
    const at = Buffer.from(bytes).indexOf('blk.1.ffn_gate.weight');
    new DataView(bytes.buffer).setBigUint64(at - 8, 900n, true); // the length of the name
    expect(() => open(bytes)).to.throw(UserError, /^[^\n]*the name of a tensor has \d+ characters[^\n]*$/);
  });

  it('answers every cut and every changed byte of the header with one line, or reads it', () => {
    fc.assert(
      fc.property(fc.nat(9000), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = cut ? tiny.slice(0, at) : tiny.slice();
        if (!cut) bytes[at] = value;
        try {
          open(bytes);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message.split('\n').length, error.message).to.equal(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
