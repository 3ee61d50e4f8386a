import { expect } from 'chai';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { Kernels, Strided } from '../../lib/backend/kernels.ts';
import { BLOCK_FORMATS, type BlockFormat } from '../../lib/backend/quantised/formats.ts';
import { encodeFloat16 } from '../../lib/backend/quantised/half.ts';
import { PRODUCT_FORMATS, StoredBlocks, storageOfBlocks } from '../../lib/backend/quantised/storedBlocks.ts';
import { Storage } from '../../lib/backend/storage.ts';
import { check, inside, numbers, permuted, view } from './wasmChecks.ts';

/** A matrix [rows, columns] in blocks of any bits, with scales of every size and sign, and the same as float32. */
function matrix(
  format: BlockFormat,
  rows: number,
  columns: number,
  seed: number,
): { blocks: Strided; plain: Strided } {
  const count = (rows * columns) / format.numbers;
  const scales = numbers(2 * count, seed);
  const bytes = Uint8Array.from(numbers(count * format.bytes, seed + 1), (x) => Math.floor((x + 2) * 64));
  const words = new DataView(bytes.buffer);
  // A block of 256 has scales of its own, of up to 127.
  const size = format.numbers === 256 ? 1e-4 : 0.01;
  for (let i = 0; i < count; i++) {
    format.scales!.forEach((at, n) => {
      // Every fifth is a subnormal float16.
      const scale = scales[2 * i + n] * (n > 0 || i % 5 ? size : size / 1e4);
      words.setUint16(i * format.bytes + at, encodeFloat16(scale), true);
    });
  }
  const whole = { shape: [rows, columns], strides: [columns, 1], offset: 0 };
  const stored = seed % 2 ? inside({ ...whole, storage: Storage.of(bytes) }).storage : Storage.of(bytes);
  const kept = new StoredBlocks(format, columns, stored);
  return {
    blocks: { ...whole, storage: storageOfBlocks(kept) },
    plain: { ...whole, storage: Storage.of(kept.read()) },
  };
}

const turned = (x: Strided) => permuted(x, [1, 0]);

for (const format of PRODUCT_FORMATS) {
  /** So many numbers, or the next whole blocks. */
  const whole = (columns: number) => Math.ceil(columns / format.numbers) * format.numbers;

  describe(`a matrix kept in blocks, ${format.name}`, () => {
    it('is multiplied with one and two rows as whole numbers: on wasm as on js', () => {
      for (const [rows, atLeast] of [
        [1, 32],
        [3, 64],
        [5, 576],
        [130, 96],
        [700, 1536],
      ]) {
        const columns = whole(atLeast);
        const { blocks } = matrix(format, rows, columns, rows);
        for (const m of [1, 2]) {
          const a = view([m, columns], m);
          const bias = view([rows], 5);
          const size = 3 * Math.sqrt(columns);
          check(`${m} × [${rows}, ${columns}]`, (kernels) => kernels.matmul(a, turned(blocks)), size);
          check(`and a bias`, (kernels) => kernels.matmul(a, turned(blocks), bias), size);
        }
      }
    });

    it('gives nearly what its numbers as float32 give', () => {
      const { blocks, plain } = matrix(format, 40, 1536, 3);
      const a = view([1, 1536], 7);
      const [near, exact] = [blocks, plain].map((b) => jsKernels.matmul(a, turned(b)).data);
      const size = Math.sqrt(Array.from(exact, (y) => y * y).reduce((a, b) => a + b) / exact.length);
      for (const [i, y] of exact.entries()) expect(near[i]).to.be.closeTo(y, 1e-4 * size);
    });

    it('is decoded into the panels of larger products, forward and backward', () => {
      for (const [rows, atLeast] of [
        [1, 32],
        [37, 96],
        [576, 192],
        [130, 3200],
        [3300, 64],
      ]) {
        const columns = whole(atLeast);
        const { blocks } = matrix(format, rows, columns, rows);
        for (const m of [3, 19]) {
          const forward = view([m, columns], m);
          const backward = view([m, rows], m + 1);
          const x = (kernels: Kernels) => kernels.matmul(forward, turned(blocks)); // sums of `columns` products
          check(`x Wᵀ ${rows} ${columns}`, x, Math.sqrt(columns));
          const g = (kernels: Kernels) => kernels.matmul(backward, blocks); // sums of `rows`
          check(`g W ${rows} ${columns}`, g, Math.sqrt(rows));
        }
      }
    });

    it('is looked up row by row, and as a whole by a kernel that knows no blocks', () => {
      const { blocks, plain } = matrix(format, 50, whole(96), 4);
      const ids = view([4], 1, Int32Array.of(49, 0, 7, 7));
      check('embedding', (kernels) => kernels.embedding(blocks, ids));
      expect(jsKernels.embedding(blocks, ids).data).to.eql(jsKernels.embedding(plain, ids).data);
      expect(jsKernels.contiguous(blocks).data).to.eql(plain.storage.data);
    });

    it('is float32 from the first write on', () => {
      const { blocks, plain } = matrix(format, 3, whole(32), 5);
      jsKernels.addInto(blocks, plain);
      expect(blocks.storage.deviceCopy('blocks')).to.equal(undefined);
      expect(blocks.storage.data[40]).to.equal(Math.fround(2 * plain.storage.data[40]));
    });
  });
}

describe('a matrix kept in blocks', () => {
  it('has rows of whole blocks, in a format that is multiplied', () => {
    const [q4, f32] = [PRODUCT_FORMATS[0], BLOCK_FORMATS.get(0)!];
    expect(() => new StoredBlocks(q4, 33, Storage.of(new Uint8Array(18)))).to.throw(
      RangeError,
      'whole blocks',
    );
    expect(() => new StoredBlocks(f32, 1, Storage.of(new Uint8Array(4)))).to.throw(RangeError, 'F32');
  });

  it('gives a row that is not a number to whoever asks with one', () => {
    const { blocks } = matrix(PRODUCT_FORMATS[1], 8, 32, 1);
    const a = view([1, 32], 1);
    a.storage.writable[3] = Number.NaN;
    check('NaN', (kernels) => kernels.matmul(a, turned(blocks)));
    expect(jsKernels.matmul(a, turned(blocks)).data[0]).to.be.NaN;
  });
});
