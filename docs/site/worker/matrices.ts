/** W, A, B and ΔW of the lab's model, as the page draws them. */

import { directions } from '../../../chapters/appendixE/singular-values.ts';
import { nn, noGrad } from '../../../lib/index.ts';
import { linears, numbers } from './dose.ts';
import type { Experiment } from './experiment.ts';
import type { Matrices, Moved } from './lab-messages.ts';

const norm = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** How far each Linear has moved: ‖ΔW‖ / ‖W‖. */
export function movedLayers({ model, weightsBefore, factorsBefore }: Experiment): Moved[] {
  return linears(model).map(([path, linear]) => {
    const before = weightsBefore.get(path)!;
    if (!(linear instanceof nn.LinearWithLoRA)) {
      if (!linear.weight.requiresGrad) return { path, share: 0 };
      const now = numbers(linear.weight);
      return { path, share: norm(now.map((value, i) => value - before[i])) / norm(before) };
    }
    if (!linear.active) return { path, share: 0 };
    const { A, B, scaling } = linear.lora;
    const [a, b] = [numbers(A), numbers(B)];
    const drawn = factorsBefore.get(path);
    const aMoved = drawn?.length === a.length ? norm(a.map((value, i) => value - drawn[i])) / norm(drawn) : 1;
    const size = Math.abs(scaling) * normOfProduct(a, b, A.shape[0], A.shape[1], B.shape[1]);
    return { path, share: size / norm(before), factors: { aMoved, b: norm(b) } };
  });
}

/** ‖AB‖² is the sum of (AᵀA) ∘ (BBᵀ), two matrices [r, r]: AB itself need not be made. */
function normOfProduct(
  A: Float32Array,
  B: Float32Array,
  inDim: number,
  rank: number,
  outDim: number,
): number {
  let sum = 0;
  for (let p = 0; p < rank; p++) {
    for (let q = 0; q <= p; q++) {
      let [ofA, ofB] = [0, 0];
      for (let i = 0; i < inDim; i++) ofA += A[i * rank + p] * A[i * rank + q];
      for (let j = 0; j < outDim; j++) ofB += B[p * outDim + j] * B[q * outDim + j];
      sum += (p === q ? 1 : 2) * ofA * ofB;
    }
  }
  return Math.sqrt(Math.max(0, sum));
}

/** All matrices of one Linear, in the formula's layout [in, out]. */
export function matricesOf({ model, weightsBefore }: Experiment, path: string): Matrices {
  const linear = new Map(linears(model)).get(path)!;
  const { inFeatures: inDim, outFeatures: outDim } = linear;
  const W = transposed(weightsBefore.get(path)!, outDim, inDim);
  if (!(linear instanceof nn.LinearWithLoRA) || !linear.active) {
    const now = transposed(numbers(linear.weight), outDim, inDim);
    return { path, inDim, outDim, rank: 0, scaling: 1, W, delta: now.map((value, i) => value - W[i]) };
  }
  const { A, B, rank, scaling } = linear.lora;
  const [a, b] = [numbers(A), numbers(B)];
  const delta = noGrad(() => numbers(A.matmul(B).mul(scaling))); // [in, r] · [r, out]
  const { values } = directions({ A: a, B: b, inDim, rank, outDim });
  const singular = values.map((value) => value * Math.abs(scaling));
  return { path, inDim, outDim, rank, scaling, W, delta, A: a, B: b, singular };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) turned[j * rows + i] = values[i * columns + j];
  }
  return turned;
}
