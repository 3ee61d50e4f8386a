import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Tensor, tensor, UserError } from '../../lib/index.ts';
import { expectClose } from '../support/close.ts';
import { onEachEngine } from '../support/engines.ts';
import { decodeTensor, type EncodedTensor } from '../support/fixtures.ts';
import { upstream } from './inputs.ts';
import { CALLS, NotOurs } from './opinfoCalls.ts';
import { decode, type Leaf } from './opinfoValues.ts';

/** One of PyTorch's own samples of an operation, and what PyTorch answers: see fixtures/opinfo.py. */
interface Case {
  input: unknown;
  args: unknown[];
  kwargs: Record<string, unknown>;
  out?: EncodedTensor[];
  /** PyTorch refuses it. */
  error?: string;
}

/** Another file than the committed sample, e.g. all that PyTorch has. */
const path = process.env.OPINFO ?? new URL('../fixtures/opinfo.json', import.meta.url);
const table: { name: string; cases: Case[] }[] = JSON.parse(readFileSync(path, 'utf8'));

/** Near PyTorch's numbers in relation to the largest of them: sums of many terms are as exact as these. */
function near(actual: Tensor, expected: ArrayLike<number>, what: string): void {
  const largest = Array.from(expected, Math.abs)
    .filter(Number.isFinite)
    .reduce((a, b) => Math.max(a, b), 1);
  expectClose(actual.toFlatArray().map(Number), expected, 2e-5 * Math.min(largest, 10), what);
}

/** d (Σ w · outputs) / d leaves. */
function checkGradients(outputs: readonly Tensor[], leaves: readonly Leaf[], tolerance: number): void {
  const parts = outputs
    .filter((out) => out.requiresGrad)
    .map((out) => out.mul(tensor(upstream(out.size)).reshape([...out.shape])).sum());
  if (parts.length > 0) parts.reduce((sum, part) => sum.add(part)).backward();
  for (const [i, { tensor: leaf, gradient }] of leaves.entries()) {
    const wanted = gradient ?? new Float32Array(leaf.size);
    const got = leaf.grad ?? leaf.zerosLike();
    if (tolerance > 0) expectClose(got.toFlatArray(), wanted, tolerance, `gradient ${i}`);
    else near(got, wanted, `gradient ${i}`);
  }
}

function refuses(run: () => unknown, error: string): true {
  let refusal: unknown;
  try {
    run();
  } catch (failure) {
    if (failure instanceof NotOurs) throw failure;
    refusal = failure;
  }
  expect(refusal, `PyTorch refuses it: ${error}`).to.be.instanceOf(UserError);
  expect((refusal as UserError).message).not.to.include('\n');
  return true;
}

/** A variance of one element leaves rounding alone, which eps = 1e-5 makes large. */
const TOLERANCE: Record<string, number> = { 'nn.functional.layer_norm': 5e-4 };

/** @returns whether it is a case of ours */
function check(name: string, { input, args, kwargs, out, error }: Case): boolean {
  const leaves: Leaf[] = [];
  const run = () => {
    const options = Object.entries(kwargs).map(([key, value]) => [key, decode(value, leaves)]);
    const result = CALLS[name](
      decode(input, leaves),
      args.map((arg) => decode(arg, leaves)),
      Object.fromEntries(options),
    );
    return Array.isArray(result) ? result : [result];
  };
  try {
    if (error !== undefined) return refuses(run, error);
    const outputs = run();
    for (const [i, got] of outputs.entries()) {
      const wanted = decodeTensor(out![i]);
      expect(got.shape, `shape of output ${i}`).to.deep.equal(wanted.shape);
      expect(got.dtype, `type of output ${i}`).to.equal(wanted.dtype);
      near(got, wanted.toFlatArray().map(Number), `output ${i}`);
    }
    checkGradients(outputs, leaves, TOLERANCE[name] ?? 0);
    return true;
  } catch (failure) {
    if (failure instanceof NotOurs) return false;
    throw failure;
  }
}

onEachEngine("PyTorch's own samples", () => {
  for (const { name, cases } of table) {
    it(name, () => {
      let ours = 0;
      for (const [i, one] of cases.entries()) {
        try {
          if (check(name, one)) ours++;
        } catch (failure) {
          const { input, args, kwargs } = one;
          const call = JSON.stringify({ input, args, kwargs }).slice(0, 300);
          throw new Error(`case ${i}, ${call}: ${failure instanceof Error ? failure.message : failure}`);
        }
      }
      expect(ours, 'cases that are ours').to.be.greaterThan(0);
    });
  }
});
