import type { Parameter } from '../nn/parameter.ts';
import { noGrad } from '../tensor/autograd.ts';

/**
 * Scales all gradients down together so that their common L2 norm is at most `maxNorm` (Pascanu et al. 2013), and
 * returns what the norm was.
 */
export function clipGradNorm(params: Iterable<Parameter>, maxNorm: number): number {
  return noGrad(() => {
    const clipped = [...params].filter((parameter) => parameter.grad);
    const squares = clipped.map((parameter) => parameter.grad!.square().sum().item());
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    // As PyTorch, which adds 1e-6 to keep a norm of 0 apart.
    const scale = maxNorm / (norm + 1e-6);
    if (scale < 1) for (const parameter of clipped) parameter.grad = parameter.grad!.mul(scale);
    return norm;
  });
}
