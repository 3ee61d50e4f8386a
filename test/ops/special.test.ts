import { expect } from 'chai';
import type { Tensor } from '../../lib/index.ts';
import { loadFixture } from '../support/fixtures.ts';
import { describeCalls } from './pytorchCalls.ts';

/**
 * Each number in relation to itself, however small or large it is; beside numbers of usual size a part in a million of the
 * largest may be rounded away. Zeros of both signs are equal.
 */
function alike(actual: Tensor, expected: ArrayLike<number>, what: string): void {
  const got = actual.toFlatArray().map(Number);
  const usual = Array.from(expected, Math.abs).filter((size) => size <= 1);
  const rounded = 1e-6 * usual.reduce((a, b) => Math.max(a, b), 0);
  expect(got.length, what).to.equal(expected.length);
  for (const [i, number] of got.entries()) {
    const wanted = expected[i];
    const allowed = Math.max(1e-37, rounded, 1e-4 * Math.abs(wanted));
    const isAlike = Object.is(number, wanted) || number === wanted || Math.abs(number - wanted) <= allowed;
    if (!isAlike || (Math.abs(wanted) === Infinity && number !== wanted))
      expect.fail(`${what}: element ${i} is ${number}, PyTorch has ${wanted}`);
  }
}

describeCalls('Zeros, infinities, NaN, very large and very small numbers', loadFixture('special'), alike);
