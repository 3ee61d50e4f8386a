import { checkNumber, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { defaultGenerator } from '../random/index.ts';
import { noGrad } from '../tensor/autograd.ts';
import { storageFrom, zeros } from '../tensor/create.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import { lengthsFrom, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

let skipping = false;

/**
 * Runs `body`, in which modules are made without drawing their weights: for a model whose weights are loaded next.
 * Weights that would be drawn are zeros, for which no memory is taken yet; nothing is taken from the generator.
 */
export function skip<T>(body: () => T, ...more: []): T {
  noMore('skip', 1, more);
  if (typeof body !== 'function') throw new UserError(`skip: a function is expected, not ${inWords(body)}`);
  const before = skipping;
  skipping = true;
  try {
    return body();
  } finally {
    skipping = before;
  }
}

/** A new tensor uniform on [low, high), drawn as torch's uniform_ draws. */
export function uniform(shape: readonly number[], low: number, high: number, ...more: []): Tensor {
  noMore('init.uniform', 3, more);
  const lengths = lengthsFrom([shape], 'init.uniform');
  if (skipping) return zeros(lengths);
  return Tensor.of(
    storageFrom(defaultGenerator.uniformRange(sizeOf(lengths), low, high), 'float32'),
    lengths,
  );
}

/** A new tensor from the normal distribution, drawn as torch's normal_ draws. */
export function normal(shape: readonly number[], mean = 0, std = 1, ...more: []): Tensor {
  noMore('init.normal', 3, more);
  const lengths = lengthsFrom([shape], 'init.normal');
  if (skipping) return zeros(lengths);
  return Tensor.of(storageFrom(defaultGenerator.normal(sizeOf(lengths), mean, std), 'float32'), lengths);
}

/**
 * Fills a tensor of two or more axes, in place, uniformly on ±gain · √(3 / fanIn) with gain = √(2 / (1 + a²))
 * (He et al. 2015). fanIn is the length of the second axis: a weight [out, in] takes `in` — and so LoRA's A,
 * stored [in, rank], takes `rank`.
 */
export function kaimingUniform(target: Tensor, a = 0, ...more: []): Tensor {
  noMore('kaimingUniform', 2, more);
  requireTensors('kaimingUniform', target);
  checkNumber(a, 'a', 'kaimingUniform');
  if (target.dtype !== 'float32')
    throw new UserError(`kaimingUniform: float32 is expected, not ${target.dtype}`);
  if (target.ndim < 2)
    throw new UserError(`kaimingUniform: at least two axes are expected, not ${target.ndim}`);
  if (skipping) return target;
  const fanIn = target.size / target.shape[0];
  const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fanIn));
  return noGrad(() => target.copyInPlace(uniform(target.shape, -bound, bound)));
}
