import { checkFlag, checkNumber, noMore } from '../arguments.ts';
import { defaultGenerator } from '../random/index.ts';
import { storageFrom } from '../tensor/create.ts';
import { unary } from '../tensor/ops/elementwise.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** The functions of layers, without their parameters: what PyTorch keeps in torch.nn.functional. */

export { type GeluOptions, gelu, logSigmoid, silu } from '../tensor/ops/activations.ts';
export { type AttentionOptions, scaledDotProductAttention } from '../tensor/ops/attention.ts';
export { type CrossEntropyOptions, crossEntropy } from '../tensor/ops/crossEntropy.ts';
export { embedding } from '../tensor/ops/indexing.ts';
export { layerNorm } from '../tensor/ops/layerNorm.ts';
export { linearCrossEntropy } from '../tensor/ops/linearCrossEntropy.ts';
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  mseLoss,
  type Reduction,
} from '../tensor/ops/losses.ts';
export { linear } from '../tensor/ops/matmul.ts';
export { rmsNorm } from '../tensor/ops/rmsNorm.ts';
export { rotaryEmbedding } from '../tensor/ops/rotary.ts';
export { oneHot } from '../tensor/ops/scatter.ts';
export { causalSoftmax, logSoftmax, softmax } from '../tensor/ops/softmax.ts';

/** max(0, x), of x's shape; its gradient at 0 is 0. */
export function relu(x: Tensor, ...more: []): Tensor {
  noMore('relu', 1, more);
  requireTensors('relu', x);
  return unary('relu', x);
}

/**
 * While training, zeroes each element with probability `rate` and multiplies the others by 1 / (1 − rate), so
 * that the expected sum stays the same (Srivastava et al. 2014). Otherwise, and at rate 0, x itself.
 * @throws UserError if the rate is not in [0, 1]
 */
export function dropout(x: Tensor, rate: number, training = true, ...more: []): Tensor {
  noMore('dropout', 3, more);
  requireTensors('dropout', x);
  checkFlag(training, 'training', 'dropout');
  checkNumber(rate, 'the rate', 'dropout', 0, 1);
  if (!training || rate === 0) return x;
  const mask = defaultGenerator.bernoulli(x.size, 1 - rate);
  const scale = rate === 1 ? 0 : 1 / (1 - rate);
  for (let i = 0; i < mask.length; i++) mask[i] *= scale;
  return x.mul(Tensor.of(storageFrom(mask, 'float32'), x.shape));
}
