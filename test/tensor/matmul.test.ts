import { expect } from 'chai';
import fc from 'fast-check';
import { matmulByDefinition } from '../../lib/backend/js/matmul.ts';
import { F, manualSeed, ones, randn, type Tensor, useBackend, zeros } from '../../lib/index.ts';
import { LAYOUTS } from '../ops/layouts.ts';
import { expectClose } from '../support/close.ts';

const lengths = fc.integer({ min: 1, max: 13 });
const layouts = fc.constantFrom(...LAYOUTS.map(({ of }) => of), (x: Tensor) => x);

for (const backend of ['js', 'wasm'] as const) {
  describe(`matmul on ${backend}`, () => {
    before(async () => {
      await useBackend(backend);
      manualSeed(1);
    });
    after(() => useBackend('js'));

    it('is the definition, for random shapes, strides and batches', () => {
      fc.assert(
        fc.property(
          fc.tuple(lengths, lengths, lengths),
          fc.constantFrom(
            [[], []],
            [[3], [3]],
            [[2, 1], [3]],
            [[1], [4]],
            [
              [2, 3],
              [2, 3],
            ],
            [[3], []],
          ),
          layouts,
          layouts,
          ([m, k, n], [leftBatch, rightBatch], layLeft, layRight) => {
            const a = layLeft(randn([...leftBatch, m, k]));
            const b = layRight(randn([...rightBatch, k, n]));
            const product = a.matmul(b);
            const batch = product.shape.slice(0, -2);
            expect(product.shape.slice(-2)).to.deep.equal([m, n]);
            const [left, right, out] = [a.expand([...batch, m, k]), b.expand([...batch, k, n]), product].map(
              (t) => t.reshape([-1, ...t.shape.slice(-2)]),
            );
            for (let i = 0; i < out.shape[0]; i++) {
              const wanted = matmulByDefinition(left.select(0, i), right.select(0, i));
              expectClose(out.select(0, i).flatten().toFlatArray(), wanted, 1e-5, `matrix ${i}`);
            }
          },
        ),
        { numRuns: 200 },
      );
    });

    it('starts at the bias in F.linear, whatever the strides', () => {
      fc.assert(
        fc.property(
          fc.tuple(lengths, lengths, lengths),
          layouts,
          layouts,
          ([rows, inputs, outputs], layX, layW) => {
            const x = layX(randn(rows, inputs));
            const weight = layW(randn(outputs, inputs));
            const bias = randn(2 * outputs).slice(0, 0, undefined, 2);
            const wanted = matmulByDefinition(x, weight.t(), bias);
            expectClose(F.linear(x, weight, bias).toFlatArray().flat(), wanted, 1e-5, 'x Wᵀ + b');
          },
        ),
      );
    });

    it('adds a product in place, into any strides', () => {
      fc.assert(
        fc.property(
          fc.tuple(lengths, lengths, lengths),
          layouts,
          layouts,
          layouts,
          ([m, k, n], layT, layA, layB) => {
            const target = layT(ones(m, n));
            const [a, b] = [layA(randn(m, k)), layB(randn(k, n))];
            target.addProductInPlace(a, b);
            expectClose(target.toFlatArray(), matmulByDefinition(a, b, ones(n)), 1e-5, '1 + a b');
          },
        ),
      );
    });
  });
}

describe('matmul', () => {
  it('names both shapes and what does not fit', () => {
    expect(() => zeros(8, 109, 768).matmul(zeros(512, 768))).to.throw(
      /^matmul: \[8, 109, 768\] and \[512, 768\] do not fit: inner sizes 768 and 512$/,
    );
    expect(() => zeros(3).matmul(zeros(2, 3))).to.throw('[3] and [2, 3] do not fit: inner sizes 3 and 2');
    expect(() => zeros(2, 3).matmul(zeros(2))).to.throw('[2, 3] and [2] do not fit: inner sizes 3 and 2');
    expect(() => zeros(2, 3, 4).matmul(zeros(3, 4, 5))).to.throw(
      'matmul of [2, 3, 4] and [3, 4, 5]: [2] and [3] do not broadcast: 2 against 3',
    );
    expect(() => zeros(2, 3).matmul(zeros([]))).to.throw('a scalar is not a matrix');
    expect(() => zeros(2, 3).matmul(ones([3, 2], { dtype: 'int32' }))).to.throw('float32 against int32');
  });

  it('names both shapes in F.linear', () => {
    expect(() => F.linear(zeros(2, 4), zeros(5, 3))).to.throw(
      /^linear: an input of \[2, 4\] does not fit a weight of \[5, 3\]: its last axis has to be 3$/,
    );
  });

  it('multiplies int32 by int32 exactly', () => {
    const a = ones([2, 3], { dtype: 'int32' }).mul(5);
    const product = a.matmul(a.T);
    expect(product.dtype).to.equal('int32');
    expect(product.toArray()).to.deep.equal([
      [75, 75],
      [75, 75],
    ]);
  });
});
