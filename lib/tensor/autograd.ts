import { checkFlag, inWords, noMore } from '../arguments.ts';
import { listingStorages } from '../backend/dispatch.ts';
import type { Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { ArrivedGradients } from './arrivedGradients.ts';
import { zeros } from './create.ts';
import { requireTensors } from './requireTensors.ts';
import { formatShape, sameShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/**
 * Define-by-run automatic differentiation. Each operation that touches a tensor with `requiresGrad` leaves a
 * node behind: where its inputs came from, and a function from the gradient of its output to the gradients of its inputs.
 * `backward` walks the nodes from the loss, each after all that use it, and sums up what reaches the leaves.
 *
 * Of all the numbers of the forward pass the graph holds those that a derivative reads, and no others: they are most
 * of what a training step needs in memory. That is why a node names no input, and why a derivative gets what it reads as
 * arguments: a closure holds every variable that it, or another function beside it, mentions.
 */

/**
 * What a backward function gives for one input: the gradient; or a function that adds it into a tensor of the
 * input's shape, for gradients that are cheaper to add in place than to make (a weight's product, a slice's
 * few rows); or null for an input that needs none.
 */
export type Gradient = Tensor | ((target: Tensor) => void) | null;

/** A tensor that a derivative reads; anything else stands in the place of one that it will not need. */
type Read = Tensor | false | null | undefined;

/** A tensor that a derivative will read, and the version that its numbers had when it was recorded. */
interface Saved {
  readonly tensor: Read;
  readonly version: number | undefined;
}

/** Where the gradient of an input goes: on to the operation that made it, into a leaf, or nowhere. */
type Destination = GraphNode | Tensor | null;

export interface GraphNode {
  readonly name: string;
  /** The shape of what it made. */
  readonly shape: readonly number[];
  inputs: readonly Destination[];
  saved: readonly Saved[];
  /** Released by backward, with all the tensors that were saved for it. */
  backward: ((g: Tensor, ...saved: Tensor[]) => readonly Gradient[]) | null;
}

let recording = true;

/** Is a graph being recorded? */
export function isGradEnabled(): boolean {
  return recording;
}

/** Runs `body` without recording a graph: for evaluation and generation. */
export function noGrad<T>(body: () => T, ...more: []): T {
  noMore('noGrad', 1, more);
  if (typeof body !== 'function') throw new UserError(`noGrad: a function is expected, not ${inWords(body)}`);
  const before = recording;
  recording = false;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/**
 * Adds the operation that made `out` to the graph, if any of its inputs requires a gradient.
 * @param reads the tensors whose numbers `backward` reads, in the order of its arguments. It gets nothing for one that is
 *   left out by false, and must hold no tensor itself. When one of them is changed in place in the meantime, backward
 *   refuses to run on numbers that are not those of the forward pass.
 */
export function record<const Reads extends readonly Read[]>(
  name: string,
  out: Tensor,
  inputs: readonly Tensor[],
  reads: Reads,
  backward: (g: Tensor, ...saved: { -readonly [Place in keyof Reads]: Tensor }) => readonly Gradient[],
): Tensor {
  if (recording && inputs.some((input) => input.requiresGrad)) {
    for (const input of inputs) input.isUsed = true;
    out.requiresGrad = true;
    out.node = {
      name,
      shape: out.shape,
      inputs: inputs.map((input) => (input.requiresGrad ? (input.node ?? input) : null)),
      saved: reads.map((tensor) => ({ tensor, version: tensor ? tensor.storage.version : undefined })),
      backward: backward as GraphNode['backward'],
    };
  }
  return out;
}

function refuseChanged({ name, saved }: GraphNode): void {
  for (const { tensor, version } of saved) {
    if (!tensor || tensor.storage.version === version) continue;
    throw new UserError(
      `backward: a tensor of ${formatShape(tensor.shape)} that ${name} needs again was changed in place after the forward ` +
        `pass (it is at version ${tensor.storage.version}, not ${version}); change a clone() of it, or call backward first`,
    );
  }
}

const isNode = (destination: Destination): destination is GraphNode =>
  destination !== null && 'saved' in destination;

/** Names a result that is put together from other operations by what was asked for: `mean`, not `div`. */
export function named(name: string, out: Tensor): Tensor {
  if (out.node) out.node = { ...out.node, name };
  return out;
}

/** The nodes that the root's value depends on, every node before the ones that it uses. */
function topologicalOrder(root: GraphNode): GraphNode[] {
  const order: GraphNode[] = [];
  const seen = new Set<GraphNode>([root]);
  const path: { node: GraphNode; next: number }[] = [{ node: root, next: 0 }];
  // Without recursion: a graph is deeper than the call stack in a long training script.
  while (path.length > 0) {
    const top = path[path.length - 1];
    if (top.next === top.node.inputs.length) {
      order.push(top.node);
      path.pop();
      continue;
    }
    const child = top.node.inputs[top.next++];
    if (isNode(child) && !seen.has(child)) {
      seen.add(child);
      path.push({ node: child, next: 0 });
    }
  }
  return order.reverse();
}

function addToLeaf(
  leaf: Tensor,
  gradient: Tensor | ((target: Tensor) => void),
  arrived: ArrivedGradients,
): void {
  const first = leaf.grad === null;
  if (typeof gradient === 'function') {
    leaf.grad ??= leaf.zerosLike();
    gradient(leaf.grad);
  } else if (leaf.grad) leaf.grad.addInPlace(gradient);
  // A copy of its own: the same gradient may be on its way to other tensors.
  else leaf.grad = gradient.clone();
  if (first) arrived.leave(leaf.grad.storage);
}

/**
 * Adds d root / d leaf to the `grad` of every leaf that requires one, for a scalar root or a given upstream
 * gradient. The graph is released on the way, unless `retainGraph` keeps it for a second pass.
 * @throws if the root has no graph, or is not a scalar and no gradient is given.
 */
export function backward(root: Tensor, gradient?: Tensor, retainGraph = false): void {
  if (!root.requiresGrad) {
    throw new UserError(
      'backward: no gradient is required of this tensor or of anything it was computed from',
    );
  }
  checkFlag(retainGraph, 'retainGraph', 'backward');
  if (gradient !== undefined && gradient !== null) requireTensors('backward', gradient);
  if (!gradient && root.size !== 1) {
    throw new UserError(`backward: a scalar is expected, not a tensor of shape ${formatShape(root.shape)}`);
  }
  if (gradient && (gradient.dtype !== 'float32' || !sameShape(gradient.shape, root.shape))) {
    throw new UserError(
      `backward: a gradient of float32 ${formatShape(root.shape)} is expected, not ${gradient.dtype} ${formatShape(gradient.shape)}`,
    );
  }
  noGrad(() => {
    const upstream = gradient ?? root.zerosLike().add(1);
    const arrived = new ArrivedGradients();
    if (!root.node) {
      addToLeaf(root, upstream, arrived);
      return;
    }
    arrived.set(root.node, { tensor: upstream, own: false });
    for (const node of topologicalOrder(root.node)) {
      const g = arrived.take(node);
      if (g) {
        const made: Storage[] = [];
        listingStorages(made, () => propagate(node, g, arrived));
        arrived.giveBack(made, g.storage);
      }
      if (!retainGraph) {
        node.backward = null;
        node.inputs = [];
        node.saved = [];
      }
    }
  });
}

function propagate(node: GraphNode, g: Tensor, arrived: ArrivedGradients): void {
  if (!node.backward) {
    throw new UserError(
      `backward: the graph behind ${node.name} is already released; pass retainGraph the first time`,
    );
  }
  refuseChanged(node);
  const forInputs = node.backward(g, ...node.saved.map(({ tensor }) => tensor as Tensor));
  node.inputs.forEach((destination, i) => {
    const gradient = forInputs[i];
    if (!gradient || !destination) return;
    if (isNode(destination)) addToNode(destination, gradient, arrived);
    else addToLeaf(destination, gradient, arrived);
  });
}

function addToNode(node: GraphNode, gradient: NonNullable<Gradient>, arrived: ArrivedGradients): void {
  const before = arrived.get(node);
  if (!before && typeof gradient !== 'function') {
    // As it came: it may be on its way to other tensors too.
    arrived.set(node, { tensor: gradient, own: false });
    return;
  }
  const sum = before?.own ? before.tensor : (before?.tensor.clone() ?? zeros(node.shape));
  if (typeof gradient === 'function') gradient(sum);
  else sum.addInPlace(gradient);
  arrived.set(node, { tensor: sum, own: true });
}
