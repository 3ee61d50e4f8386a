import { valuesOf } from './inputs.ts';
import { OPERATIONS } from './table.ts';

/** Prints the table with the numbers of its inputs: read by test/fixtures/ops.py. */
const rows = OPERATIONS.map(({ name, torch, cases, gradient }) => ({
  name,
  torch,
  gradient,
  cases: cases.map((inputs, i) =>
    inputs.map((input, j) => ({
      shape: input.shape,
      dtype: input.dtype,
      // JSON has no infinities.
      values: valuesOf(input, `${name} ${i} ${j}`).map(String),
    })),
  ),
}));
console.log(JSON.stringify(rows));
