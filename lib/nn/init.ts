import { UserError } from '../errors.ts';
import { defaultGenerator } from '../random/index.ts';
import { storageFrom } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';

/** A new tensor uniform on [low, high), drawn as torch's uniform_ draws. */
export function uniform(shape: readonly number[], low: number, high: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return Tensor.of(storageFrom(defaultGenerator.uniformRange(count, low, high), 'float32'), shape);
}

/** A new tensor from the normal distribution, drawn as torch's normal_ draws. */
export function normal(shape: readonly number[], mean = 0, std = 1): Tensor {
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
  const fanIn = target.size / target.shape[0];
  const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fanIn));
  return target.copyInPlace(uniform(target.shape, -bound, bound));
}
