import { noMore } from '../arguments.ts';
import { unary } from '../tensor/ops/elementwise.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import type { Tensor } from '../tensor/tensor.ts';

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
export { dropout } from './dropout.ts';

/** max(0, x), of x's shape; its gradient at 0 is 0. */
export function relu(x: Tensor, ...more: []): Tensor {
  noMore('relu', 1, more);
  requireTensors('relu', x);
  return unary('relu', x);
}
