import { checkFlag, checkOptions, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { noGrad } from '../tensor/autograd.ts';
import { stack } from '../tensor/ops/indexing.ts';
import { parametersFrom, requireFits } from './optimizer.ts';

/**
 * Scales all gradients down together so that their common L2 norm is at most `maxNorm` (Pascanu et al. 2013), and
 * returns what the norm was. As in PyTorch, one NaN among them makes all of them NaN, and an infinite one makes the
 * others 0; with `errorIfNonfinite` that is an error instead.
 *
 * @throws UserError if `maxNorm` is not a number of at least 0, or by `errorIfNonfinite`; nothing is changed then
 */
export function clipGradNorm(
  params: Iterable<Parameter>,
  maxNorm: number,
  options: { errorIfNonfinite?: boolean } = {},
  ...more: []
): number {
  noMore('clipGradNorm', 3, more);
  checkOptions('clipGradNorm', options, ['errorIfNonfinite']);
  if (!(typeof maxNorm === 'number' && maxNorm >= 0))
    throw new UserError(`clipGradNorm: a norm of at least 0 is expected, not ${inWords(maxNorm)}`);
  const { errorIfNonfinite = false } = options;
  checkFlag(errorIfNonfinite, 'errorIfNonfinite', 'clipGradNorm');
  const list = parametersFrom(params, 'clipGradNorm');
  return noGrad(() => {
    const clipped = list.filter((parameter) => parameter.grad);
    if (clipped.length === 0) return 0;
    for (const parameter of clipped) requireFits(parameter, parameter.grad!);
    // One read for all of them, so that a GPU is waited for only once.
    const squares = stack(
      clipped.map((parameter) => parameter.grad!.square().sum()),
    ).toFlatArray() as number[];
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    if (errorIfNonfinite && !Number.isFinite(norm)) {
      throw new UserError(`clipGradNorm: the norm of the gradients is ${norm}`);
    }
    // As in PyTorch, which adds 1e-6 for the sake of a norm of 0. Math.min passes NaN on.
    const scale = Math.min(1, maxNorm / (norm + 1e-6));
    if (scale !== 1) for (const parameter of clipped) parameter.grad = parameter.grad!.mul(scale);
    return norm;
  });
}
