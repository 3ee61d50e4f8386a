import type { Tensor } from '../../lib/index.ts';
import { type Input, real } from './inputs.ts';

/** One row of the table: an operation as we write it and as PyTorch does, and what to apply it to. */
export interface Operation {
  readonly name: string;
  readonly apply: (...inputs: Tensor[]) => Tensor;
  /** The same as a Python expression of a, b, c: run by fixtures/ops.py. */
  readonly torch: string;
  /** One list of inputs for each case. */
  readonly cases: readonly (readonly Input[])[];
  /** Is a gradient defined? (Default: yes.) */
  readonly gradient: boolean;
  /** Is it smooth at these inputs, so that finite differences approach the gradient? (Default: yes.) */
  readonly smooth: boolean;
  /** May the inputs lie in memory in any way? (Default: yes.) */
  readonly anyLayout: boolean;
  /** Allowed difference, where that of the check is too narrow for float32. */
  readonly tolerance?: number;
  /** Inputs with an axis of length n, to compare a backend with `js` at sizes that no vector unit divides. */
  readonly sized: (n: number) => readonly Input[];
}

type Details = Partial<Pick<Operation, 'gradient' | 'smooth' | 'anyLayout' | 'sized' | 'tolerance'>>;

export function operation(
  name: string,
  torch: string,
  apply: (...inputs: Tensor[]) => Tensor,
  cases: readonly (readonly Input[])[],
  details: Details = {},
): Operation {
  // Without sizes of its own, the first case with its last axis of length n.
  const sized = (n: number) =>
    cases[0].map((input) => (input.fixed ? input : { ...input, shape: input.shape.with(-1, n) }));
  return { name, torch, apply, cases, gradient: true, smooth: true, anyLayout: true, sized, ...details };
}

type Domain = (...shape: number[]) => Input;

/** One input: two and three axes, one, none, lengths of 1, and nothing at all. */
export function single(domain: Domain = real): Input[][] {
  return [
    [domain(2, 3)],
    [domain(2, 3, 4)],
    [domain(5)],
    [domain()],
    [domain(1)],
    [domain(1, 1, 1)],
    [domain(0, 3)],
  ];
}

/** Two inputs of equal shapes, and of all the ways in which shapes broadcast. */
export function pairs(left: Domain = real, right: Domain = left): Input[][] {
  return [
    [left(2, 3), right(2, 3)],
    [left(2, 3, 4), right(4)],
    [left(3), right(2, 3)],
    [left(2, 1, 3), right(4, 1)],
    [left(2, 3), right()],
    [left(), right(2)],
    [left(), right()],
    [left(1), right(1)],
    [left(1, 1), right(3)],
    [left(0, 3), right(3)],
    [left(2, 0), right(2, 1)],
  ];
}

/** Two inputs that broadcast, around an axis of length n. */
export function sizedPair(left: Domain = real, right: Domain = left): (n: number) => Input[] {
  return (n) => [left(3, n), right(n)];
}
