import { expect } from 'chai';
import fc from 'fast-check';
import { F, manualSeed, noGrad, randint, randn, type Tensor, tensor, useBackend } from '../../lib/index.ts';
import { LAYOUTS } from '../ops/layouts.ts';
import { expectClose, expectTensor } from '../support/close.ts';

const layouts = fc.constantFrom(...LAYOUTS.map(({ of }) => of), (x: Tensor) => x);

/** The loss and both gradients, of a function of x and weight, with 3 reaching the loss from above. */
function gradients(loss: (x: Tensor, weight: Tensor) => Tensor, x: Tensor, weight: Tensor): Tensor[] {
  const leaves = [x, weight].map((t) => t.detach().requiresGrad_());
  const out = loss(leaves[0], leaves[1]);
  out.mul(3).backward();
  return [out.detach(), ...leaves.map((leaf) => leaf.grad!)];
}

function expectAsSeparately(x: Tensor, weight: Tensor, targets: Tensor, ignoreIndex?: number): void {
  const together = gradients((a, b) => F.linearCrossEntropy(a, b, targets, { ignoreIndex }), x, weight);
  const apart = gradients((a, b) => F.crossEntropy(F.linear(a, b), targets, { ignoreIndex }), x, weight);
  ['loss', 'gradient of x', 'gradient of the weight'].forEach((what, i) => {
    expectTensor(together[i], apart[i], 1e-5, what);
  });
}

for (const backend of ['js', 'wasm'] as const) {
  describe(`linearCrossEntropy on ${backend}`, () => {
    before(async () => {
      await useBackend(backend);
      manualSeed(1);
    });
    after(() => useBackend('js'));

    it('is crossEntropy of linear, forward and backward, for any shapes, layouts and ignored targets', () => {
      const sizes = fc.tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
      );
      fc.assert(
        fc.property(sizes, layouts, layouts, fc.nat(7), ([n, d, classes], layX, layW, ignored) => {
          const targets = randint(0, classes, [n]);
          const x = layX(randn(n, d));
          if (n > 1) targets.storage.writable[ignored % n] = -100;
          expectAsSeparately(x, layW(randn(classes, d)), targets);
        }),
        { numRuns: 50 },
      );
    });

    it('has the gradient of finite differences', () => {
      const [x, weight, targets] = [randn(3, 2), randn(4, 2), tensor([1, 3, 0], { dtype: 'int32' })];
      const [, dx, dWeight] = gradients((a, b) => F.linearCrossEntropy(a, b, targets), x, weight);
      const h = 2 ** -7;
      const estimate = (moved: Tensor, loss: (t: Tensor) => Tensor) =>
        Array.from({ length: moved.size }, (_, i) => {
          const at = (by: number) => {
            const values = moved.toFlatArray() as number[];
            return loss(tensor(values.with(i, values[i] + by)).reshape(moved.shape)).item();
          };
          return (3 * (at(h) - at(-h))) / (2 * h);
        });
      const ofX = estimate(x, (t) => F.linearCrossEntropy(t, weight, targets));
      const ofWeight = estimate(weight, (t) => F.linearCrossEntropy(x, t, targets));
      expectClose(dx.toFlatArray(), ofX, 2e-3, 'gradient of x');
      expectClose(dWeight.toFlatArray(), ofWeight, 2e-3, 'gradient of the weight');
    });

    it('needs no gradient where none is required', () => {
      const [x, weight, targets] = [randn(3, 2), randn(4, 2), tensor([1, 3, 0], { dtype: 'int32' })];
      const value = F.crossEntropy(F.linear(x, weight), targets).item();
      const frozen = weight.detach();
      const leaf = x.detach().requiresGrad_();
      F.linearCrossEntropy(leaf, frozen, targets).backward();
      expect(frozen.grad).to.equal(null);
      expect(leaf.grad).not.to.equal(null);
      expect(noGrad(() => F.linearCrossEntropy(leaf, frozen, targets)).requiresGrad).to.equal(false);
      expect(F.linearCrossEntropy(x, weight, targets).item()).to.be.closeTo(value, 1e-6);
    });

    it('is NaN when no target counts, as crossEntropy is', () => {
      expect(F.linearCrossEntropy(randn(2, 3), randn(4, 3), tensor([-100, -100], { dtype: 'int32' })).item())
        .to.be.NaN;
    });
  });
}

describe('linearCrossEntropy of a large vocabulary', () => {
  before(async () => {
    await useBackend('wasm');
    manualSeed(2);
  });
  after(() => useBackend('js'));

  it('is the same over several parts of the rows, one of them without a target', () => {
    const [rows, classes] = [700, 50257]; // 333 rows at a time
    const targets = randint(0, classes, [rows]);
    targets.storage.writable.fill(-1, 300, 690);
    expectAsSeparately(randn(rows, 4), randn(classes, 4), targets, -1);
  });
});

describe('linearCrossEntropy refuses', () => {
  const [x, weight, targets] = [randn(3, 2), randn(4, 2), tensor([1, 3, 0], { dtype: 'int32' })];
  it('what does not fit', () => {
    expect(() => F.linearCrossEntropy(x, randn(4, 3), targets)).to.throw(
      /x \[n, d\] and weight \[classes, d\]/,
    );
    expect(() => F.linearCrossEntropy(x.flatten(), weight, targets)).to.throw(/not \[6\] and \[4, 2\]/);
    expect(() => F.linearCrossEntropy(x, weight, tensor([1], { dtype: 'int32' }))).to.throw(
      /targets \[3\] are expected, not \[1\]/,
    );
  });
  it('targets that are no classes', () => {
    expect(() => F.linearCrossEntropy(x, weight, tensor([1, 4, 0], { dtype: 'int32' }))).to.throw(
      /target 4 is not one of 4 classes/,
    );
    expect(() => F.linearCrossEntropy(x, weight, tensor([0.5, 1, 1]))).to.throw(/int32/);
  });
});
