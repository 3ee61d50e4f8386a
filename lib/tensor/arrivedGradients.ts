import type { Storage } from '../backend/storage.ts';
import type { GraphNode } from './autograd.ts';
import type { Tensor } from './tensor.ts';

/** What has reached the output of a node. A sum of our `own` may be added to in place. */
interface Sum {
  readonly tensor: Tensor;
  readonly own: boolean;
}

/**
 * The gradients that have reached the outputs of nodes whose turn has not come yet, and the memory of all that a
 * backward pass makes. Most of it is read once, by the next node, and nobody outside can have it: so it is given back
 * as soon as its turn is over, and the next gradient lies where this one did, which the processor still has in its
 * cache. Waiting for the garbage collector would take twice the memory, all of it cold.
 */
export class ArrivedGradients {
  readonly #sums = new Map<GraphNode, Sum>();
  /** How many of the sums lie in a storage: views share one. */
  readonly #uses = new Map<Storage, number>();
  /** Made by this pass, and not given back yet. */
  readonly #ours = new Set<Storage>();

  /** The sum for a node. */
  get(node: GraphNode): Sum | undefined {
    return this.#sums.get(node);
  }

  set(node: GraphNode, sum: Sum): void {
    this.#count(sum.tensor.storage, 1);
    const before = this.#sums.get(node);
    if (before) this.#count(before.tensor.storage, -1);
    this.#sums.set(node, sum);
  }

  /** The sum for a node whose turn it is; it is no longer kept. */
  take(node: GraphNode): Tensor | undefined {
    const sum = this.#sums.get(node);
    if (!sum) return undefined;
    this.#sums.delete(node);
    this.#count(sum.tensor.storage, -1);
    return sum.tensor;
  }

  /** Never to be given back: it has become a leaf's gradient. */
  leave(storage: Storage): void {
    this.#count(storage, 1);
  }

  /** Gives back what no sum lies in, of what a node's turn made and of the gradient that it took. */
  giveBack(made: readonly Storage[], taken: Storage): void {
    for (const storage of made) this.#ours.add(storage);
    for (const storage of [...made, taken]) {
      if (this.#uses.has(storage) || !this.#ours.delete(storage)) continue;
      storage.release();
    }
  }

  #count(storage: Storage, by: number): void {
    const uses = (this.#uses.get(storage) ?? 0) + by;
    if (uses === 0) this.#uses.delete(storage);
    else this.#uses.set(storage, uses);
  }
}
