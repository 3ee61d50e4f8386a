import { checkNumber, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { defaultGenerator } from '../random/index.ts';
import { noGrad } from '../tensor/autograd.ts';
import { storageFrom } from '../tensor/create.ts';
import { copyWhole } from '../tensor/ops/inPlace.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
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

/** Fills a float32 tensor in place, uniformly on [low, high), drawn as torch's uniform_ draws. @returns the tensor */
export function uniform(target: Tensor, low = 0, high = 1, ...more: []): Tensor {
  noMore('init.uniform', 3, more);
  requireFloats(target, 'init.uniform');
  return fill(target, () => defaultGenerator.uniformRange(target.size, low, high));
}

/** Fills a float32 tensor in place from the normal distribution, drawn as torch's normal_ draws. @returns the tensor */
export function normal(target: Tensor, mean = 0, std = 1, ...more: []): Tensor {
  noMore('init.normal', 3, more);
  requireFloats(target, 'init.normal');
  return fill(target, () => defaultGenerator.normal(target.size, mean, std));
}

function requireFloats(target: Tensor, what: string): void {
  requireTensors(what, target);
  if (target.dtype !== 'float32') throw new UserError(`${what}: float32 is expected, not ${target.dtype}`);
}

/** Writes what is drawn into the tensor, unless drawing is skipped. */
function fill(target: Tensor, draw: () => Float32Array): Tensor {
  if (skipping) return target;
  noGrad(() => copyWhole(target, Tensor.of(storageFrom(draw(), 'float32'), target.shape)));
  return target;
}

/**
 * Fills a tensor of two or more axes, in place, uniformly on ±gain · √(3 / fanIn) with gain = √(2 / (1 + a²))
 * (He et al. 2015). fanIn is the length of the second axis: a weight [out, in] takes `in` — and so LoRA's A,
 * stored [in, rank], takes `rank`.
 */
export function kaimingUniform(target: Tensor, a = 0, ...more: []): Tensor {
  noMore('kaimingUniform', 2, more);
  checkNumber(a, 'a', 'kaimingUniform');
  requireFloats(target, 'kaimingUniform');
  if (target.ndim < 2)
    throw new UserError(`kaimingUniform: at least two axes are expected, not ${target.ndim}`);
  const fanIn = target.size / target.shape[0];
  const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fanIn));
  return uniform(target, -bound, bound);
}
