import { checkOptions, inWords, noMore } from '../../arguments.ts';
import { kernels } from '../../backend/dispatch.ts';
import { Storage } from '../../backend/storage.ts';
import { UserError } from '../../errors.ts';
import { isGradEnabled, record } from '../autograd.ts';
import { requireTensors } from '../requireTensors.ts';
import { formatShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { classNumbers } from './crossEntropy.ts';

/**
 * This many logits are held at a time (64 MB). Fewer rows at a time would have the weight's gradient read and written
 * more often, more would not find their logits in any cache.
 */
const MOST_LOGITS = 2 ** 24;

/**
 * crossEntropy(linear(x, weight), targets) for x [n, d], weight [v, d] and int32 targets [n], without ever holding
 * all the logits [n, v]: for a vocabulary of 50,257 they and their gradient take more memory than the rest of a
 * small GPT. Some rows at a time are multiplied out, their loss is taken, and, where a gradient will be wanted, their
 * part of it at once, while the logits are there (Hsu et al. 2024, https://arxiv.org/abs/2410.10989, section 3.2).
 * Backward then only multiplies by the gradient that reaches the loss. The three products are the same as when done
 * one by one.
 * @throws if the shapes do not fit or a target is not a class.
 */
export function linearCrossEntropy(
  x: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: { ignoreIndex?: number } = {},
  ...more: []
): Tensor {
  noMore('linearCrossEntropy', 4, more);
  checkOptions('linearCrossEntropy', options, ['ignoreIndex']);
  requireTensors('linearCrossEntropy', x, weight, targets);
  const { ignoreIndex = -100 } = options;
  if (!Number.isInteger(ignoreIndex)) {
    throw new UserError(`linearCrossEntropy: ignoreIndex is a whole number, not ${inWords(ignoreIndex)}`);
  }
  const classes = weight.shape[0];
  if (x.ndim !== 2 || weight.ndim !== 2 || x.shape[1] !== weight.shape[1]) {
    throw new UserError(
      `linearCrossEntropy: x [n, d] and weight [classes, d] are expected, not ${formatShape(x.shape)} ` +
        `and ${formatShape(weight.shape)}`,
    );
  }
  if (x.dtype !== 'float32' || weight.dtype !== 'float32') {
    throw new UserError(`linearCrossEntropy: float32 is expected, not ${x.dtype} and ${weight.dtype}`);
  }
  if (targets.ndim !== 1 || targets.shape[0] !== x.shape[0]) {
    throw new UserError(
      `linearCrossEntropy: targets [${x.shape[0]}] are expected, not ${formatShape(targets.shape)}`,
    );
  }
  const labels = Int32Array.from(classNumbers(targets, classes, ignoreIndex, 'linearCrossEntropy'));
  const counts = (label: number) => label !== ignoreIndex;
  const counted = labels.filter(counts).length;

  const wanted = isGradEnabled();
  const dx = wanted && x.requiresGrad ? x.zerosLike() : null; // [n, d]
  const dWeight = wanted && weight.requiresGrad ? weight.zerosLike() : null; // [v, d]
  const matrix = weight.detach();
  const rows = Math.max(1, Math.floor(MOST_LOGITS / classes));
  let sum = 0;
  for (let start = 0; start < labels.length; start += rows) {
    const here = labels.subarray(start, start + rows);
    const inPart = here.filter(counts).length;
    if (inPart === 0) continue;
    const part = x.detach().slice(0, start, start + here.length); // [rows, d]
    const partTargets = Tensor.of(Storage.of(here), [here.length]);
    const logits = Tensor.of(kernels.matmul(part, matrix.t()), [here.length, classes]); // [rows, v]
    const { loss, logSumExp } = kernels.crossEntropy(logits, partTargets, ignoreIndex);
    sum += loss.data[0] * inPart;
    if (!dx && !dWeight) continue;
    const share = Tensor.of(Storage.of(Float32Array.of(inPart / counted)), [1]);
    const g = Tensor.of(
      kernels.crossEntropyBackward(logits, partTargets, logSumExp, share, ignoreIndex),
      logits.shape,
    ); // d loss / d logits, [rows, v]
    if (dx) dx.slice(0, start, start + here.length).copyInPlace(g.matmul(matrix)); // [rows, v] · [v, d]
    if (dWeight) dWeight.addProductInPlace(g.t(), part); // [v, rows] · [rows, d]
  }

  const loss = Tensor.of(Storage.of(Float32Array.of(sum / counted)), []);
  return record('linearCrossEntropy', loss, [x, weight], [dx, dWeight], (g, toX, toWeight) => [
    toX?.mul(g) ?? null,
    toWeight?.mul(g) ?? null,
  ]);
}
