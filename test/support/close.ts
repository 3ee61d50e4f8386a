import { expect } from 'chai';
import type { Tensor } from '../../lib/index.ts';

/** |a − b| relative to the larger of |b| and 1; equal infinities and two NaN are no distance apart. */
export function distance(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const d = Math.abs(a - b) / Math.max(1, Math.abs(b));
  return Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
}

/** Fails with the place of the largest difference when one is above the tolerance. */
export function expectClose(
  actual: ArrayLike<number | boolean>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: number of elements`).to.equal(expected.length);
  let worst = 0;
  let at = -1;
  for (let i = 0; i < expected.length; i++) {
    const d = distance(Number(actual[i]), expected[i]);
    if (d > worst) [worst, at] = [d, i];
  }
  if (worst > tolerance) {
    expect.fail(
      `${what}: element ${at} is ${actual[at]}, expected ${expected[at]}; ` +
        `off by ${worst.toExponential(2)}, allowed ${tolerance}`,
    );
  }
}

/** The same shape and type; floats within the tolerance, integers and bools equal. */
export function expectTensor(actual: Tensor, expected: Tensor, tolerance = 0, what = 'tensor'): void {
  expect(actual.shape, `${what}: shape`).to.deep.equal(expected.shape);
  expect(actual.dtype, `${what}: dtype`).to.equal(expected.dtype);
  const allowed = expected.dtype === 'float32' ? tolerance : 0;
  expectClose(actual.toFlatArray(), (expected.toFlatArray() as number[]).map(Number), allowed, what);
}

/** The same shape, and no two elements further apart than the tolerance, whatever their size. */
export function expectNear(actual: Tensor, expected: Tensor, tolerance = 1e-6): void {
  expect(actual.shape).to.deep.equal(expected.shape);
  expect(actual.sub(expected).abs().max().item()).to.be.below(tolerance);
}
