import fc from 'fast-check';
import type { BinaryOp, DecliningKernels, Strided, UnaryOp } from '../../lib/backend/kernels.ts';
import { Storage } from '../../lib/backend/storage.ts';
import { backends, wideBackends } from './wasmChecks.ts';

/**
 * The same bits at both widths of vectors: random products and elementwise calls of odd shapes, at any strides, with zeros of
 * both signs, subnormal numbers, infinities and NaN among the numbers. More runs: RUNS=10000.
 */
const numRuns = Number(process.env.RUNS ?? 300);

const SPECIAL = [
  0,
  -0,
  1e-40,
  -1e-45,
  3e38,
  -3e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];
const UNARY: UnaryOp[] = [
  ...(['neg', 'abs', 'exp', 'log', 'sqrt', 'rsqrt', 'reciprocal', 'square'] as const),
  ...(['tanh', 'sigmoid', 'relu', 'gelu', 'silu'] as const),
];
const BINARY: BinaryOp[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];

/** A view of a matrix: how its rows and columns lie, and how often a special number stands among the others. */
interface Layout {
  readonly transposed: boolean;
  readonly gap: number;
  readonly offset: number;
  readonly seed: number;
  readonly special: number;
}
const layout: fc.Arbitrary<Layout> = fc.record({
  transposed: fc.boolean(),
  gap: fc.nat(3),
  offset: fc.nat(5),
  seed: fc.nat(10_000),
  special: fc.constantFrom(0, 0, 0, 7, 50),
});

/** [rows, columns], or one row or one column repeated where `repeat` says so. */
function matrix(rows: number, columns: number, how: Layout, repeat?: 'rows' | 'columns'): Strided {
  const [r, c] = [repeat === 'rows' ? 1 : rows, repeat === 'columns' ? 1 : columns];
  const line = (how.transposed ? r : c) + how.gap;
  const storage = Storage.zeros('float32', how.offset + line * (how.transposed ? c : r) + 8);
  const { data } = storage;
  for (let i = 0; i < data.length; i++) {
    const place = (i + how.seed) * 7919;
    const isSpecial = how.special > 0 && place % how.special === 0;
    data[i] = isSpecial ? SPECIAL[i % SPECIAL.length] : Math.sin(place) * 4;
  }
  const [down, across] = how.transposed ? [1, line] : [line, 1];
  const strides = [repeat === 'rows' ? 0 : down, repeat === 'columns' ? 0 : across];
  return { storage, shape: [rows, columns], strides, offset: how.offset };
}

/** Every NaN is as good as another: WebAssembly leaves its sign to the compiler. */
const bits = ({ data }: Storage) =>
  Buffer.from(Float32Array.from(data, (value) => (Number.isNaN(value) ? Number.NaN : value)).buffer);

function sameBits(run: (kernels: DecliningKernels) => Storage | undefined): boolean {
  const wide = wideBackends[1] as (typeof backends)[number];
  const [narrow, found] = [backends[0], wide].map(({ kernels }) => run(kernels)!);
  return bits(narrow).equals(bits(found));
}

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 130 }));

describe('vectors of 256 bits give the same bits as those of 128', () => {
  before(function () {
    const [, wide] = wideBackends;
    if (typeof wide !== 'string') return;
    console.log(`      skipped: ${wide}`);
    this.skip();
  });

  it('in products', () => {
    const product = fc.property(
      size,
      size,
      size,
      layout,
      layout,
      fc.constantFrom('', 'bias', 'onto'),
      (m, n, k, a, b, how) => {
        return sameBits((kernels) => {
          const [left, right] = [matrix(m, k, a), matrix(k, n, b)];
          if (how === 'onto') {
            const target = matrix(m, n, { ...b, transposed: false });
            kernels.matmulInto!(target, left, right);
            return target.storage;
          }
          const bias = how === 'bias' ? matrix(1, n, { ...a, transposed: false }) : undefined;
          return kernels.matmul!(left, right, bias && { ...bias, shape: [n], strides: [1] });
        });
      },
    );
    fc.assert(product, { numRuns });
  });

  it('elementwise', () => {
    const repeat = fc.constantFrom(undefined, undefined, 'rows' as const, 'columns' as const);
    const call = fc.property(
      size,
      size,
      layout,
      layout,
      repeat,
      fc.nat(UNARY.length + BINARY.length + 1),
      (m, n, a, b, again, which) => {
        return sameBits((kernels) => {
          const [x, y] = [matrix(m, n, a), matrix(m, n, b, again)];
          if (which < UNARY.length) return kernels.unary!(UNARY[which], which % 2 ? x : y);
          const op = BINARY[which - UNARY.length];
          if (op) return which % 2 ? kernels.binary!(op, x, y) : kernels.binary!(op, y, x);
          return which % 2 ? kernels.geluBackward!(x, y) : kernels.siluBackward!(y, x);
        });
      },
    );
    fc.assert(call, { numRuns });
  });

  it('row by row, and written in place', () => {
    const call = fc.property(size, size, layout, layout, fc.nat(10), (m, n, a, b, which) => {
      return sameBits((kernels) => {
        const [x, g] = [matrix(m, n, { ...a, special: 0 }), matrix(m, n, b)];
        const [scale, shift] = [1, 2].map((seed) => {
          return { ...matrix(1, n, { ...a, seed, transposed: false }), shape: [n], strides: [1] };
        });
        const rstd = matrix(1, m, { ...a, offset: 0, gap: 0, special: 0, transposed: false }).storage;
        switch (which) {
          case 0:
            return kernels.softmax!(g);
          case 1:
            return kernels.softmaxBackward!(x, g);
          case 2:
            return kernels.causalSoftmax!(matrix(Math.min(m, n), n, b), 0.3);
          case 3:
            return kernels.causalSoftmaxBackward!(
              matrix(Math.min(m, n), n, a),
              matrix(Math.min(m, n), n, b),
              0.3,
            );
          case 4:
            return kernels.logSoftmax!(g);
          case 5:
            return kernels.logSoftmaxBackward!(x, g);
          case 6:
            return kernels.layerNorm!(g, scale, shift, 1e-5)?.y;
          case 7:
            return kernels.layerNormBackward!(g, x, scale, rstd, rstd, false)?.dx;
          case 8:
            return kernels.rmsNorm!(g, scale, 1e-5)?.y;
          case 9:
            return kernels.rmsNormBackward!(g, x, scale, rstd, false)?.dx;
          default: {
            const target = matrix(m, n, b);
            kernels.addInto!(target, x);
            return target.storage;
          }
        }
      });
    });
    fc.assert(call, { numRuns });
  });
});
