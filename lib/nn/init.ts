import { UserError } from '../errors.ts';
import { defaultGenerator } from '../random/index.ts';
import { noGrad } from '../tensor/autograd.ts';
import { storageFrom, zeros } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';

let skipping = false;

/**
 * Runs `body`, in which modules are made without drawing their weights: for a model whose weights are loaded next.
 * Weights that are drawn otherwise are zeros, for which no memory is taken yet; nothing is taken from the generator.
 */
export function skip<T>(body: () => T): T {
  const before = skipping;
  skipping = true;
  try {
    return body();
  } finally {
    skipping = before;
  }
}

/** A new tensor uniform on [low, high), drawn as torch's uniform_ draws. */
export function uniform(shape: readonly number[], low: number, high: number): Tensor {
  if (skipping) return zeros(shape);
  const count = shape.reduce((a, b) => a * b, 1);
  return Tensor.of(storageFrom(defaultGenerator.uniformRange(count, low, high), 'float32'), shape);
}

/** A new tensor from the normal distribution, drawn as torch's normal_ draws. */
export function normal(shape: readonly number[], mean = 0, std = 1): Tensor {
  if (skipping) return zeros(shape);
  const count = shape.reduce((a, b) => a * b, 1);
  return Tensor.of(storageFrom(defaultGenerator.normal(count, mean, std), 'float32'), shape);
}

/**
 * Fills a tensor of two or more axes, in place, uniformly on ±gain · √(3 / fanIn) with gain = √(2 / (1 + a²))
 * (He et al. 2015). fanIn is the length of the second axis: a weight [out, in] takes `in` — and so LoRA's A,
 * stored [in, rank], takes `rank`.
 */
export function kaimingUniform(target: Tensor, a = 0): Tensor {
  if (target.ndim < 2)
    throw new UserError(`kaimingUniform: at least two axes are expected, not ${target.ndim}`);
  if (skipping) return target;
  const fanIn = target.size / target.shape[0];
  const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fanIn));
  return noGrad(() => target.copyInPlace(uniform(target.shape, -bound, bound)));
}
