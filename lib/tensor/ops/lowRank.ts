import { kernels } from '../../backend/dispatch.ts';
import { noGrad, record } from '../autograd.ts';
import { sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { matmul } from './matmul.ts';

/**
 * x Wᵀ + b + scaling · x A B in one node of the graph (Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1): x
 * [..., in], weight [out, in], bias [out], A [in, r], B [r, out] → [..., out], all float32.
 *
 * `linear(x, weight, bias).add(matmul(matmul(x, A), B).mul(scaling))` gives the same but for the order of the last sum, and
 * writes a second y, and in backward a second gradient of x, only to add it to the first. Here the thin product is added
 * up where the large one lies: a tenth of the time of a step of the small model `mini`.
 * The caller has checked the shapes.
 */
export function linearWithLowRank(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  A: Tensor,
  B: Tensor,
  scaling: number,
): Tensor {
  const [outputs, inputs] = weight.shape;
  const rows = x.reshape([sizeOf(x.shape.slice(0, -1)), inputs]); // [..., in] → [rows, in]
  const scaled = (t: Tensor) => (scaling === 1 ? t : t.mul(scaling));
  const { y, down } = noGrad(() => {
    const product = kernels.matmul(rows, weight.t(), bias ?? undefined);
    const sum = Tensor.of(product, [rows.shape[0], outputs]);
    const thin = scaled(matmul(rows, A)); // [rows, r]
    sum.addProductInPlace(thin, B);
    return { y: sum, down: thin };
  });
  const [toX, toWeight, toBias] = [rows.requiresGrad, weight.requiresGrad, bias?.requiresGrad];
  const [toA, toB] = [A.requiresGrad, B.requiresGrad];
  const operands = bias ? [rows, weight, A, B, bias] : [rows, weight, A, B];
  const reads = [(toWeight || toA) && rows, toX && weight, toX && A, (toX || toA) && B, toB && down];
  const out = record('linearWithLowRank', y, operands, reads, (g, xs, w, a, b, thin) => {
    const toThin = toX || toA ? scaled(matmul(g, b.t())) : g; // [rows, out] · [out, r]
    return [
      toX ? matmul(g, w).addProductInPlace(toThin, a.t()) : null, // [rows, out] · [out, in] + [rows, r] · [r, in]
      toWeight ? (target) => target.addProductInPlace(g.t(), xs) : null, // [out, rows] · [rows, in]
      toA ? (target) => target.addProductInPlace(xs.t(), toThin) : null, // [in, rows] · [rows, r]
      toB ? (target) => target.addProductInPlace(thin.t(), g) : null, // [r, rows] · [rows, out]
      toBias ? g.sum(0) : null,
    ];
  });
  return out.reshape([...x.shape.slice(0, -1), outputs]);
}
