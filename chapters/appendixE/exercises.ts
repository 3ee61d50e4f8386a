import { nn, type Tensor } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';

/** 1. The rank r at which LoRA trains as many numbers as W has: r · (in + out) = in · out. */
export function breakEvenRank(inputs: number, outputs: number): number {
  return (inputs * outputs) / (inputs + outputs);
}

/**
 * 2. The rank of a matrix [m, n] by Gaussian elimination with pivots. Each row that is left when the others have
 * been eliminated is a direction; count the pivots.
 */
export function rankOf(matrix: Tensor, tolerance = 1e-4): number {
  const rows = matrix.toArray() as number[][];
  let rank = 0;
  for (let column = 0; column < matrix.shape[1] && rank < rows.length; column++) {
    const candidates = rows.slice(rank).map((row) => Math.abs(row[column]));
    const pivot = rank + candidates.indexOf(Math.max(...candidates));
    if (Math.abs(rows[pivot][column]) < tolerance) continue;
    [rows[rank], rows[pivot]] = [rows[pivot], rows[rank]];
    for (let i = rank + 1; i < rows.length; i++) {
      const factor = rows[i][column] / rows[rank][column];
      for (let j = column; j < matrix.shape[1]; j++) rows[i][j] -= factor * rows[rank][j];
    }
    rank++;
  }
  return rank;
}

/**
 * 3. The gradients of A and B at the start. That of A has B as a factor, and B is zero; that of B has
 * xA, which is not. So the first step moves B alone.
 */
export function firstGradients(layer: nn.LinearWithLoRA, x: Tensor): { A: Tensor; B: Tensor } {
  layer.forward(x).square().mean().backward();
  return { A: layer.lora.A.grad!, B: layer.lora.B.grad! };
}

/**
 * 4. Freezes a model and wraps the queries and values of every block only. `targets` names the Linears that are
 * wrapped.
 */
export function wrapQueriesAndValues(model: GPTModel, { rank, alpha }: nn.LoRAOptions): void {
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, { rank, alpha, targets: ['W_query', 'W_value'] });
}
