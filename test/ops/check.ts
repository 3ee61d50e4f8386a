import { expect } from 'chai';
import { noGrad, type Tensor, tensor, useBackend } from '../../lib/index.ts';
import { expectClose, expectTensor } from '../support/close.ts';
import { floatsFromHex, loadFixture } from '../support/fixtures.ts';
import { type Input, tensorOf, upstream, valuesOf } from './inputs.ts';
import { LAYOUTS, repeated } from './layouts.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS } from './table.ts';

/** What PyTorch gave for one case: see fixtures/ops.py. */
interface Expected {
  out: { shape: number[]; dtype: string; floats?: string; ints?: number[] };
  gradients?: (string | null)[];
}

/** Makes a backend active; answers why it cannot, or nothing. */
export type Setup = () => Promise<string | undefined>;

export interface CheckOptions {
  /** Allowed relative difference from PyTorch, and from `js`. */
  tolerance?: number;
  /** Finite differences run an operation twice per element: too slow for a backend that waits on a device. */
  differences?: boolean;
  /** Try inputs that are views too (the default)? */
  views?: boolean;
}

const fixture: Map<string, Expected[]> = new Map(
  loadFixture('ops').operations.map((row: { name: string; cases: Expected[] }) => [row.name, row.cases]),
);

/** The setup of a backend that is chosen by name. */
export const named =
  (name: 'js' | 'wasm' | 'gpu', options: { threads?: number; gpuMode?: string } = {}): Setup =>
  async () => {
    const chosen = await useBackend(name, options);
    return chosen.name === name ? undefined : `there is no ${name}: ${chosen.why}`;
  };

function inputsOf(operation: Operation, inputs: readonly Input[], number: number): Tensor[] {
  return inputs.map((input, j) => tensorOf(input, valuesOf(input, `${operation.name} ${number} ${j}`)));
}

/** Output, and the gradients of Σ w · output that reach the inputs, where they require one. */
function run(operation: Operation, inputs: readonly Tensor[]): { out: Tensor; gradients: (Tensor | null)[] } {
  const leaves = inputs.map((x) => x.detach().requiresGrad_(operation.gradient && x.dtype === 'float32'));
  const out = operation.apply(...leaves);
  if (!operation.gradient) return { out, gradients: leaves.map(() => null) };
  out.backward(tensor(upstream(out.size)).reshape(out.shape));
  return { out, gradients: leaves.map((x) => (x.requiresGrad ? (x.grad ?? x.zerosLike()) : null)) };
}

function checkAgainstTorch(operation: Operation, allowed: number): void {
  const tolerance = Math.max(allowed, operation.tolerance ?? 0);
  const expected = fixture.get(operation.name);
  if (!expected) expect.fail(`${operation.name} is not in the fixture: run fixtures/ops.py`);
  for (const [i, inputs] of operation.cases.entries()) {
    const { out, gradients } = run(operation, inputsOf(operation, inputs, i));
    const { out: wanted, gradients: wantedGradients } = expected[i];
    const what = `case ${i}, ${inputs.map((x) => `[${x.shape}]`).join(' and ')}`;
    expect(out.shape, `${what}: shape`).to.deep.equal(wanted.shape);
    expect(out.dtype, `${what}: dtype`).to.equal(wanted.dtype);
    if (wanted.ints) expect(out.toFlatArray().map(Number), `${what}: output`).to.deep.equal(wanted.ints);
    else expectClose(out.toFlatArray(), floatsFromHex(wanted.floats!), tolerance, `${what}: output`);
    for (const [j, gradient] of gradients.entries()) {
      if (!gradient) continue;
      expect(gradient.shape, `${what}: shape of gradient ${j}`).to.deep.equal([...inputs[j].shape]);
      const wantedGradient = floatsFromHex(wantedGradients![j]!);
      expectClose(gradient.toFlatArray(), wantedGradient, tolerance, `${what}: gradient ${j}`);
    }
  }
}

/** Moves by 2⁻⁶ and 2⁻⁷ keep the rounding of float32 at 1e-5 of the difference; together they cancel its h². */
const STEP = 2 ** -6;
const DIFFERENCE_TOLERANCE = 2e-3;

function checkDifferences(operation: Operation): void {
  for (const [i, inputs] of operation.cases.entries()) {
    const tensors = inputsOf(operation, inputs, i);
    const { gradients } = run(operation, tensors);
    for (const [j, gradient] of gradients.entries()) {
      if (!gradient) continue;
      const estimate = differences(operation, tensors, j);
      const what = `case ${i}: gradient ${j} against finite differences`;
      expectClose(gradient.toFlatArray(), estimate, DIFFERENCE_TOLERANCE, what);
    }
  }
}

/** d (Σ w · output) / d input j, by Richardson's extrapolation of two central differences. */
function differences(operation: Operation, inputs: readonly Tensor[], j: number): number[] {
  const start = inputs[j].toFlatArray() as number[];
  const projected = (values: readonly number[]): number => {
    const moved = tensor(Float64Array.from(values), { dtype: 'float32' }).reshape(inputs[j].shape);
    const out = noGrad(() => operation.apply(...inputs.with(j, moved))).toFlatArray() as number[];
    const w = upstream(out.length);
    return out.reduce((sum, y, k) => sum + w[k] * y, 0);
  };
  const central = (k: number, h: number) =>
    (projected(start.with(k, start[k] + h)) - projected(start.with(k, start[k] - h))) / (2 * h);
  return start.map((_, k) => (4 * central(k, STEP / 2) - central(k, STEP)) / 3);
}

/** The same numbers lying otherwise in memory give the same, forward and backward. */
function checkLayouts(operation: Operation, tolerance: number): void {
  for (const [i, inputs] of operation.cases.entries()) {
    const tensors = inputsOf(operation, inputs, i);
    const plain = run(operation, tensors);
    const compare = (moved: Tensor[], reference: typeof plain, what: string) => {
      const { out, gradients } = run(operation, moved);
      expectTensor(out, reference.out, tolerance, `case ${i}, ${what}`);
      gradients.forEach((gradient, j) => {
        const name = `case ${i}, ${what}: gradient ${j}`;
        if (gradient) expectTensor(gradient, reference.gradients[j]!, tolerance, name);
      });
    };
    for (const [j, { shape }] of inputs.entries()) {
      for (const layout of LAYOUTS.filter(({ fits }) => fits(shape))) {
        compare(tensors.with(j, layout.of(tensors[j])), plain, `input ${j} ${layout.name}`);
      }
      if (shape.length > 0 && shape[0] > 1) {
        const strideless = repeated(tensors[j]);
        const reference = run(operation, tensors.with(j, strideless.contiguous()));
        compare(tensors.with(j, strideless), reference, `input ${j} repeated`);
      }
    }
    const everyInput = tensors.map((x) => LAYOUTS.findLast(({ fits }) => fits(x.shape))!.of(x));
    compare(everyInput, plain, 'all inputs strided');
  }
}

function withBackend(title: string, setup: Setup, tests: () => void): void {
  describe(title, () => {
    before(async function () {
      const absent = await setup();
      if (absent !== undefined) {
        console.log(`    skipped: ${absent}`);
        this.skip();
      }
    });
    after(async () => {
      await useBackend('js');
    });
    tests();
  });
}

/**
 * The table of operations over one backend: each against PyTorch forward and backward, against finite
 * differences, and with inputs that are views.
 */
export function describeOperations(backend: string, setup: Setup, options: CheckOptions = {}): void {
  const { tolerance = 1e-5, differences: byDifferences = true, views = true } = options;
  withBackend(`operations on ${backend}`, setup, () => {
    for (const operation of OPERATIONS) {
      describe(operation.name, () => {
        it('is what PyTorch computes, and so is its gradient', () => checkAgainstTorch(operation, tolerance));
        if (operation.gradient && operation.smooth && byDifferences) {
          it('has the gradient of finite differences', () => checkDifferences(operation));
        }
        if (operation.anyLayout && views) it('takes views', () => checkLayouts(operation, tolerance));
      });
    }
  });
}

/** Sizes that no vector unit, tile or thread count divides, and some that they do. */
const SIZES = [1, 3, 7, 16, 17, 64, 109, 257];

/** The largest finite |element|, at least 1: a sum of many terms is as exact as they are, however small it is. */
function largest(t: Tensor): number {
  const sizes = (t.toFlatArray() as number[]).map(Math.abs).filter(Number.isFinite);
  return sizes.reduce((a, b) => Math.max(a, b), 1);
}

/** The table of operations over one backend against `js`, at larger and at odd sizes. */
export function describeSizes(backend: string, setup: Setup, options: CheckOptions = {}): void {
  const { tolerance = 1e-5 } = options;
  withBackend(`odd sizes on ${backend}`, setup, () => {
    for (const operation of OPERATIONS) {
      it(operation.name, async function () {
        const inputs = SIZES.map((n) => inputsOf(operation, operation.sized(n), n));
        await useBackend('js');
        const wanted = inputs.map((tensors) => run(operation, tensors));
        if ((await setup()) !== undefined) this.skip();
        for (const [at, tensors] of inputs.entries()) {
          const { out, gradients } = run(operation, tensors);
          const compare = (actual: Tensor, expected: Tensor, what: string) => {
            const allowed = Math.max(tolerance, operation.tolerance ?? 0) * largest(expected);
            expectTensor(actual, expected, allowed, `size ${SIZES[at]}: ${what}`);
          };
          compare(out, wanted[at].out, 'output');
          gradients.forEach((gradient, j) => {
            if (gradient) compare(gradient, wanted[at].gradients[j]!, `gradient ${j}`);
          });
        }
      });
    }
  });
}
