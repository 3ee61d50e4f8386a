import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFloat16, encodeFloat16 } from '../../lib/backend/quantised/half.ts';
import { UserError } from '../../lib/errors.ts';
import { readSafetensors } from '../../lib/io/safetensors.ts';
import { openSafetensors, saveSafetensors } from '../../lib/io/safetensors-file.ts';
import { safetensorsPieces, type TensorToStore, writeSafetensors } from '../../lib/io/safetensors-write.ts';
import { damaged } from '../support/arbitrary.ts';

// Written by test/fixtures/io_files.py with the reference implementation.
const fixture = JSON.parse(readFileSync(new URL('../fixtures/io.json', import.meta.url), 'utf8'));

type Expected = Record<string, { shape: number[]; values: number[] }>;

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

/** A file with the given header and `dataBytes` zeros after it. */
function fileOf(header: unknown, dataBytes = 0): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

describe('reading safetensors', () => {
  it('reads every dtype as the reference implementation wrote it', () => {
    const file = readSafetensors(bytesOf(fixture.mixed.file));
    expect(file.metadata).to.deep.equal({ by: 'numpy', for: 'a test' });
    for (const [name, { shape, values }] of Object.entries(fixture.mixed.tensors as Expected)) {
      const tensor = file.get(name)!;
      expect(tensor.shape, name).to.deep.equal(shape);
      expect(Array.from(tensor.data), name).to.deep.equal(values);
      const whole = /^(i|u|bool)/.test(name);
      expect(tensor.data, name).to.be.instanceOf(whole ? Int32Array : Float32Array);
    }
    expect(file.get('bf16')!.dtype).to.equal('BF16');
  });

  it('writes the same numbers into an array that is there, from memory and from a file', () => {
    const bytes = bytesOf(fixture.mixed.file);
    const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
    writeFileSync(join(folder, 'mixed.safetensors'), bytes);
    const onDisk = openSafetensors(join(folder, 'mixed.safetensors'));
    for (const file of [readSafetensors(bytes), onDisk]) {
      for (const name of Object.keys(fixture.mixed.tensors)) {
        const stored = file.get(name)!;
        const { data } = stored;
        // What stands before and behind stays as it was.
        const target =
          data instanceof Float32Array ? new Float32Array(data.length + 2) : new Int32Array(data.length + 2);
        stored.readInto(target.fill(7).subarray(1, -1));
        expect([...target], name).to.deep.equal([7, ...data, 7]);
      }
    }
    onDisk.close();
    rmSync(folder, { recursive: true });
  });

  it('does not copy float32 numbers that are in memory', () => {
    const bytes = bytesOf(fixture.mixed.file);
    expect(readSafetensors(bytes).get('f32')!.data.buffer).to.equal(bytes.buffer);
  });

  it('reads at any alignment of the bytes', () => {
    const bytes = bytesOf(fixture.mixed.file);
    for (let shift = 1; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
      shifted.set(bytes);
      expect(readSafetensors(shifted).get('i64')!.data[2]).to.equal(50256);
    }
  });

  it('names a tensor it cannot represent, and reads the others', () => {
    const file = readSafetensors(bytesOf(fixture.mixed.file), 'model.safetensors');
    expect(file.get('f64')!.data).to.be.instanceOf(Float32Array);
    const eight = { w: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] } };
    expect(() => readSafetensors(fileOf(eight, 2), 'model.safetensors').get('w')!.data).to.throw(
      UserError,
      "tensor 'w' of model.safetensors is F8_E4M3; only F32",
    );
    expect(() => file.get('large')!.data).to.throw(
      UserError,
      "tensor 'large' of model.safetensors holds 2147483648",
    );
  });

  const whole = { w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
  const broken: [string, Uint8Array, string][] = [
    ['an empty file', new Uint8Array(0), 'it has 0 bytes, fewer than the 8'],
    ['a header cut short', fileOf(whole).subarray(0, 30), 'its header would end at byte'],
    [
      'an absurd header length',
      new Uint8Array(64).fill(0xff),
      'its header would have 18446744073709551615 bytes',
    ],
    [
      'a web page',
      new TextEncoder().encode('<!DOCTYPE html><html>not found</html>'),
      'its header would have',
    ],
    ['bad JSON', fileOf('{"w": '), 'its header is not JSON'],
    ['NUL padding after the JSON', fileOf('{}\0\0\0\0\0\0'), 'its header is not JSON'],
    [
      'bad UTF-8',
      Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, ...[0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x30, 0x7d]),
      'its header is not JSON',
    ],
    ['a header that is a list', fileOf('[]'), 'its header is not a JSON object'],
    ['missing data', fileOf(whole, 4), 'bytes, but it has'],
    ['more data than tensors', fileOf(whole, 12), 'bytes, but it has'],
    [
      'a hole',
      fileOf({ w: { ...whole.w, data_offsets: [4, 12] } }, 12),
      "tensor 'w' begins at byte 4 of the data, where 0",
    ],
    [
      'overlapping tensors',
      fileOf({ ...whole, v: { ...whole.w, data_offsets: [4, 12] } }, 12),
      "tensor 'v' begins at byte 4 of the data, where 8",
    ],
    [
      'a size that is not the shape',
      fileOf({ w: { ...whole.w, shape: [3] } }, 8),
      "tensor 'w', F32 [3], needs 12 bytes but has 8",
    ],
    [
      'offsets the wrong way round',
      fileOf({ w: { ...whole.w, data_offsets: [8, 0] } }, 8),
      'needs 8 bytes but has -8',
    ],
    ['a negative size', fileOf({ w: { ...whole.w, shape: [-2] } }, 8), "tensor 'w' has no proper shape"],
    ['one offset', fileOf({ w: { ...whole.w, data_offsets: [0] } }, 8), 'no proper data_offsets'],
    [
      'an unknown dtype',
      fileOf({ w: { ...whole.w, dtype: 'F31' } }, 8),
      "tensor 'w' has the unknown dtype F31",
    ],
    ['no dtype', fileOf({ w: { shape: [2], data_offsets: [0, 8] } }, 8), "tensor 'w' has no dtype"],
    ['a tensor that is a number', fileOf({ w: 5 }), "tensor 'w' is not described by an object"],
    [
      'metadata that is no text',
      fileOf({ __metadata__: { a: 1 } }),
      '__metadata__ is not an object of texts',
    ],
  ];
  const others: [string, number[] | string, string][] = [
    ["PyTorch's pickle in a zip", 'PK\x03\x04 and the rest', 'save it with safetensors.torch.save_file'],
    ["PyTorch's bare pickle", [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9], 'save it with safetensors'],
    ['a GGUF file', 'GGUF\x03\0\0\0 and the rest', 'a GGUF file, not safetensors'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1', 'run git lfs pull'],
  ];
  for (const [what, start, message] of others) {
    it(`says that a file is ${what}`, () => {
      const bytes = typeof start === 'string' ? new TextEncoder().encode(start) : Uint8Array.from(start);
      expect(() => readSafetensors(bytes, 'some/file')).to.throw(UserError, message);
    });
  }

  for (const [what, bytes, message] of broken) {
    it(`refuses ${what}`, () => {
      const read = () => readSafetensors(bytes, 'some/file');
      expect(read).to.throw(UserError, /^some\/file is not a whole safetensors file: [^\n]*get it again$/);
      expect(read).to.throw(message);
    });
  }

  it('never fails in another way, however a file is damaged', () => {
    const original = bytesOf(fixture.mixed.file);
    fc.assert(
      fc.property(damaged(original), (bytes) => {
        try {
          for (const tensor of readSafetensors(bytes).values()) tensor.data;
        } catch (error) {
          expect(error).to.be.instanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('writing safetensors', () => {
  function tensorsOf(expected: Expected, whole: string[] = []): [string, TensorToStore][] {
    return Object.entries(expected).map(([name, { shape, values }]) => {
      const data = whole.includes(name) ? Int32Array.from(values) : Float32Array.from(values);
      return [name, { shape, data }];
    });
  }

  it('gives the bytes of the reference implementation, whatever the order of the tensors', () => {
    const tensors = tensorsOf(fixture.float32.tensors);
    const expected = bytesOf(fixture.float32.file);
    for (const order of [tensors, tensors.toReversed()]) {
      expect(writeSafetensors(order, { metadata: { format: 'pt' } })).to.deep.equal(expected);
    }
  });

  it('gives the same bytes for float16, whole numbers beside', () => {
    const bytes = writeSafetensors(tensorsOf(fixture.float16.tensors, ['steps']), { dtype: 'F16' });
    expect(bytes).to.deep.equal(bytesOf(fixture.float16.file));
  });

  it('writes what it reads, for any names and shapes', () => {
    const tensor = fc
      .array(fc.nat(4), { maxLength: 3 })
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.float32Array({ minLength: product(shape), maxLength: product(shape) }),
        ),
      );
    const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__metadata__');
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key }), (entries) => {
        const file = readSafetensors(
          writeSafetensors(entries.map(([key, [shape, data]]) => [key, { shape, data }] as const)),
        );
        expect(file.size).to.equal(entries.length);
        for (const [key, [shape, data]] of entries) {
          expect(file.get(key)!.shape).to.deep.equal(shape);
          expect(file.get(key)!.data).to.deep.equal(data);
        }
      }),
    );
  });

  it('refuses what does not fit', () => {
    const store = (data: Float32Array, shape: number[], dtype: 'F32' | 'F16' = 'F32') =>
      writeSafetensors([['w', { shape, data }]], { dtype });
    const two = Float32Array.of(1, 2);
    expect(() => store(two, [3])).to.throw(UserError, "cannot store 'w': shape [3] needs 3 numbers, not 2");
    expect(() => store(Float32Array.of(65520), [1], 'F16')).to.throw(
      UserError,
      '65520 is beyond its largest',
    );
    const entry = ['w', { shape: [2], data: two }] as const;
    expect(() => writeSafetensors([entry, ['w', { shape: [1], data: Int32Array.of(1) }]])).to.throw(
      'name is taken',
    );
    expect(() => writeSafetensors([['__metadata__', entry[1]]])).to.throw('name is taken');
  });

  it('are written piece by piece, without a copy of the numbers', () => {
    const [a, b] = [Float32Array.of(1, 2, 3), Int32Array.of(4)];
    const entries = [
      ['b', { shape: [1], data: b }],
      ['a', { shape: [3], data: a }],
    ] as const;
    const pieces = [...safetensorsPieces(entries)];
    expect(pieces.slice(1).map(({ buffer }) => buffer)).to.deep.equal([a.buffer, b.buffer]);
    expect(pieces[1].buffer).to.equal(a.buffer);
    expect(Buffer.concat(pieces).equals(writeSafetensors(entries))).to.equal(true);
  });

  const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);
});

describe('float16', () => {
  it('every float16 goes to float32 and back', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const back = Uint16Array.from(decodeFloat16(all), encodeFloat16);
    const isNaN16 = (half: number) => (half & 0x7fff) > 0x7c00;
    for (const half of all) expect(isNaN16(half) ? isNaN16(back[half]) : back[half] === half).to.equal(true);
  });

  it('rounds to the nearest, ties to even, through subnormals and overflow', () => {
    const cases = [
      [1 + 2 ** -11, 0x3c00], // tie: to even, down
      [1 + 3 * 2 ** -11, 0x3c02], // tie: to even, up
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2047.5, 0x6800], // carries into the exponent
      [2 ** -25, 0], // tie between 0 and the smallest
      [2 ** -25 * 1.001, 1],
      [3 * 2 ** -25, 2],
      [2 ** -14 - 2 ** -26, 0x400], // the largest subnormal rounds up to a normal
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [-Number.POSITIVE_INFINITY, 0xfc00],
      [-0, 0x8000],
    ];
    for (const [value, half] of cases) expect(encodeFloat16(value), `${value}`).to.equal(half);
  });
});

describe('safetensors on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
  after(() => rmSync(folder, { recursive: true }));

  it('saves and opens', async () => {
    const path = join(folder, 'new', 'w.safetensors');
    await saveSafetensors(path, [['w', { shape: [2, 1], data: Float32Array.of(1, 2) }]], {
      metadata: { format: 'pt' },
    });
    const file = openSafetensors(path);
    expect(file.metadata.format).to.equal('pt');
    expect(file.get('w')!.shape).to.deep.equal([2, 1]);
    expect(file.get('w')!.data).to.deep.equal(Float32Array.of(1, 2));
  });

  it('names a file that is missing, is a folder, or is cut short', () => {
    expect(() => openSafetensors(join(folder, 'none'), 'the adapter')).to.throw(
      UserError,
      /^cannot read the adapter: \S+none does not exist/,
    );
    expect(() => openSafetensors(folder)).to.throw(UserError, 'is a folder; name a file');
    const path = join(folder, 'cut');
    writeFileSync(path, bytesOf(fixture.float32.file).subarray(0, -4));
    expect(() => openSafetensors(path)).to.throw(UserError, `${path} is not a whole safetensors file`);
  });

  it('says so when the file is cut short after it was opened', () => {
    const path = join(folder, 'shrinks');
    writeFileSync(path, bytesOf(fixture.float32.file));
    const file = openSafetensors(path);
    writeFileSync(path, bytesOf(fixture.float32.file).subarray(0, -200));
    expect(() => [...file.values()].map((tensor) => tensor.data)).to.throw(UserError, 'became shorter');
  });
});
