import { expect } from 'chai';
import { type Tensor, tensor, UserError } from '../../lib/index.ts';
import { onEachEngine } from '../support/engines.ts';
import { decodeTensor, type EncodedTensor } from '../support/fixtures.ts';
import { upstream } from './inputs.ts';
import { CALLS, NotOurs } from './opinfoCalls.ts';
import { decode, type Leaf } from './opinfoValues.ts';

/** A call of PyTorch's, and what PyTorch answers: see fixtures/calls.py. */
interface Case {
  input: unknown;
  args: unknown[];
  kwargs: Record<string, unknown>;
  out?: EncodedTensor[];
  /** PyTorch refuses it. */
  error?: string;
}

/** The calls of one operation. */
export interface Calls {
  name: string;
  cases: Case[];
}

/** Fails unless the numbers are PyTorch's, of an output or a gradient of that operation. */
export type Compare = (got: Tensor, wanted: ArrayLike<number>, what: string, operation: string) => void;

/** d (Σ w · outputs) / d leaves. */
function checkGradients(
  outputs: readonly Tensor[],
  leaves: readonly Leaf[],
  name: string,
  compare: Compare,
): void {
  const parts = outputs
    .filter((out) => out.requiresGrad)
    .map((out) => out.mul(tensor(upstream(out.size)).reshape([...out.shape])).sum());
  if (parts.length > 0) parts.reduce((sum, part) => sum.add(part)).backward();
  for (const [i, { tensor: leaf, gradient }] of leaves.entries()) {
    compare(leaf.grad ?? leaf.zerosLike(), gradient ?? new Float32Array(leaf.size), `gradient ${i}`, name);
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

/** @returns whether it is a case of ours */
function check(name: string, { input, args, kwargs, out, error }: Case, compare: Compare): boolean {
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
      compare(got, wanted.toFlatArray().map(Number), `output ${i}`, name);
    }
    checkGradients(outputs, leaves, name, compare);
    return true;
  } catch (failure) {
    if (failure instanceof NotOurs) return false;
    throw failure;
  }
}

/** A test for each operation, on each engine: every call answers as PyTorch does, or refuses where PyTorch does. */
export function describeCalls(title: string, table: readonly Calls[], compare: Compare): void {
  onEachEngine(title, () => {
    for (const { name, cases } of table) {
      it(name, () => {
        let ours = 0;
        for (const [i, one] of cases.entries()) {
          try {
            if (check(name, one, compare)) ours++;
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
}
