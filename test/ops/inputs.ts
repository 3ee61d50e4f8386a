import { type Tensor, tensor } from '../../lib/index.ts';
import { Generator } from '../../lib/random/index.ts';

/**
 * The inputs of the table of operations: a shape and the numbers that may stand in it. The numbers are drawn
 * from a seed, as multiples of 1/1024, so that moving one by a power of two is exact in float32.
 */

export interface Input {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  /** Given number by number: it has no other size. */
  readonly fixed?: true;
  /** `count` numbers, from numbers uniform on [0, 1). */
  readonly fill: (uniform: Float32Array, count: number) => number[];
}

const onGrid = (x: number) => Math.round(x * 1024) / 1024;
const floats =
  (value: (u: number) => number) =>
  (...shape: number[]): Input => ({
    shape,
    dtype: 'float32',
    fill: (uniform) => Array.from(uniform, (u) => onGrid(value(u))),
  });

/** On [−2, 2). */
export const real = floats((u) => 4 * u - 2);
/** On [0.5, 2.5). */
export const positive = floats((u) => 0.5 + 2 * u);
/** On ±[0.25, 2.25): away from where abs, relu and 1 / x are not smooth. */
export const nonzero = floats((u) => (u < 0.5 ? -0.25 - 4 * u : 0.25 + 4 * (u - 0.5)));
/** No two equal, and none near another: for what depends on the order. */
export const distinct = (...shape: number[]): Input => ({
  shape,
  dtype: 'float32',
  fill: (uniform, count) => {
    const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => uniform[i] - uniform[j]);
    return order.map((rank) => onGrid((rank - count / 2) * 0.25 + 0.0625));
  },
});
/** Whole numbers from low up to, not including, high, as int32. */
export const whole =
  (low: number, high: number) =>
  (...shape: number[]): Input => ({
    shape,
    dtype: 'int32',
    fill: (uniform) => Array.from(uniform, (u) => low + Math.floor(u * (high - low))),
  });
export const flags = (...shape: number[]): Input => ({
  shape,
  dtype: 'bool',
  fill: (uniform) => Array.from(uniform, (u) => +(u < 0.5)),
});
/** These very numbers. */
export const given = (shape: number[], values: number[], dtype: Input['dtype'] = 'float32'): Input => ({
  shape,
  dtype,
  fixed: true,
  fill: () => values,
});

/** The numbers of one input: the same for the same name. */
export function valuesOf(input: Input, name: string): number[] {
  const count = input.shape.reduce((a, b) => a * b, 1);
  let seed = 7;
  for (const letter of name) seed = (seed * 31 + letter.charCodeAt(0)) % 1_000_003;
  return input.fill(new Generator(seed).uniform(count), count);
}

export function tensorOf(input: Input, values: readonly number[]): Tensor {
  return tensor(Float64Array.from(values), { dtype: input.dtype }).reshape([...input.shape]);
}

/** The upstream gradient of an output: no two neighbours equal, none 0. The same rule stands in ops.py. */
export function upstream(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (((7 * i) % 17) - 8.5) / 8);
}
