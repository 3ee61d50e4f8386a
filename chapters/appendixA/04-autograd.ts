import { noGrad, type Tensor, tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { tuple } from '../common/python.ts';
import { binaryCrossEntropy, neuron } from './03-computation-graph.ts';

/**
 * While a model computes, every operation notes what it was computed from. `backward` follows these notes from the
 * loss back to the parameters and multiplies the derivatives on the way, by the chain rule:
 *
 *      x ──▶ · ──▶ + ──▶ sigmoid ──▶ loss        dloss/dw = dloss/da · da/dz · dz/dw
 *            ▲     ▲  z            a
 *            w     b
 */

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

/** The gradients of the neuron's loss: asked for, and then as `backward` leaves them in `grad`. */
export function showGradients(nb: Notebook): void {
  const y = tensor([1]);
  const x = tensor([1.1]);
  const w = tensor([2.2], { requiresGrad: true });
  const b = tensor([0], { requiresGrad: true });
  const loss = binaryCrossEntropy(neuron(x, w, b), y);
  for (const gradient of gradientsOf(loss, [w, b])) nb.print(30, tuple(gradient));
  loss.backward();
  nb.print(31, w.grad);
  nb.print(31, b.grad);
}
