import { noGrad, type Tensor } from '../../lib/index.ts';

/**
 * While a model computes, every operation notes what it was computed from. `backward` follows these notes from the
 * loss back to the parameters and multiplies the derivatives on the way, by the chain rule:
 *
 *      x ──▶ · ──▶ + ──▶ sigmoid ──▶ loss        dloss/dw = dloss/da · da/dz · dz/dw
 *            ▲     ▲  z            a
 *            w     b
 */

/** One neuron: a = σ(w x + b). */
export function neuron(x: Tensor, w: Tensor, b: Tensor): Tensor {
  return x.mul(w).add(b).sigmoid();
}

/** −[y log a + (1 − y) log(1 − a)], the mean of it: how badly the probability a fits the label y (0 or 1). */
export function binaryCrossEntropy(a: Tensor, y: Tensor): Tensor {
  const ofOnes = y.mul(a.log());
  const ofZeros = y.neg().add(1).mul(a.neg().add(1).log());
  return ofOnes.add(ofZeros).mean().neg();
}

/** d loss / d leaf for each leaf, without touching their `grad`, as torch.autograd.grad(…, retain_graph=True). */
export function gradientsOf(loss: Tensor, leaves: readonly Tensor[]): Tensor[] {
  const before = leaves.map((leaf) => leaf.grad);
  for (const leaf of leaves) leaf.grad = null;
  loss.backward(undefined, { retainGraph: true });
  const gradients = leaves.map((leaf) => leaf.grad!);
  leaves.forEach((leaf, i) => {
    leaf.grad = before[i];
  });
  return gradients;
}

/** One step of gradient descent by hand: every leaf moves a little against its gradient. */
export function descend(leaves: readonly Tensor[], lr: number): void {
  noGrad(() => {
    for (const leaf of leaves) leaf.addInPlace(leaf.grad!.mul(-lr));
  });
}
