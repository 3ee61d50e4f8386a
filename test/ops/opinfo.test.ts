import { readFileSync } from 'node:fs';
import type { Tensor } from '../../lib/index.ts';
import { expectClose } from '../support/close.ts';
import { type Calls, describeCalls } from './pytorchCalls.ts';

/** Another file than the committed sample, e.g. all that PyTorch has: see fixtures/opinfo.py. */
const path = process.env.OPINFO ?? new URL('../fixtures/opinfo.json', import.meta.url);
const table: Calls[] = JSON.parse(readFileSync(path, 'utf8'));

/** A variance of one element leaves rounding alone, which eps = 1e-5 makes large. */
const OF_GRADIENTS: Record<string, number> = { 'nn.functional.layer_norm': 5e-4 };

/** Near PyTorch's numbers in relation to the largest of them: sums of many terms are as exact as these. */
function near(actual: Tensor, expected: ArrayLike<number>, what: string, operation: string): void {
  const largest = Array.from(expected, Math.abs)
    .filter(Number.isFinite)
    .reduce((a, b) => Math.max(a, b), 1);
  const ofGradients = what.startsWith('gradient') ? OF_GRADIENTS[operation] : undefined;
  expectClose(actual.toFlatArray().map(Number), expected, ofGradients ?? 2e-5 * Math.min(largest, 10), what);
}

describeCalls("PyTorch's own samples", table, near);
