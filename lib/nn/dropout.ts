import { checkFlag, checkNumber, noMore } from '../arguments.ts';
import { defaultGenerator } from '../random/index.ts';
import { storageFrom } from '../tensor/create.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import { Tensor } from '../tensor/tensor.ts';

/**
 * While training, zeroes each element with probability `rate` and multiplies the others by 1 / (1 − rate), so
 * that the expected sum stays the same (Srivastava et al. 2014). Otherwise, and at rate 0, x itself.
 * @throws UserError if the rate is not in [0, 1]
 */
export function dropout(x: Tensor, rate: number, training = true, ...more: []): Tensor {
  noMore('dropout', 3, more);
  requireTensors('dropout', x);
  checkFlag(training, 'training', 'dropout');
  requireRate(rate);
  if (!training || rate === 0) return x;
  const mask = defaultGenerator.bernoulli(x.size, 1 - rate);
  const scale = rate === 1 ? 0 : 1 / (1 - rate);
  for (let i = 0; i < mask.length; i++) mask[i] *= scale;
  return x.mul(Tensor.of(storageFrom(mask, 'float32'), x.shape));
}

/** @throws UserError if a dropout rate is not in [0, 1] */
export function requireRate(rate: number): void {
  checkNumber(rate, 'the rate', 'dropout', 0, 1);
}
