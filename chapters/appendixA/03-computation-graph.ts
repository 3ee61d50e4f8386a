import { type Tensor, tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

/**
 * A model is a graph: what goes in at the left comes out at the right, and each step knows where its numbers are from.
 *
 *      x ──▶ · ──▶ + ──▶ sigmoid ──▶ loss
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

/** One neuron's answer to x = 1.1, and how badly it fits the label 1. */
export function showGraph(nb: Notebook): void {
  const [y, x, w, b] = [1, 1.1, 2.2, 0].map((value) => tensor([value])); // [1] each
  nb.print(27, binaryCrossEntropy(neuron(x, w, b), y));
}
