import { manualSeed, nn, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { GELU } from './03-feed-forward.ts';

/** Five small layers, with or without a shortcut (x + layer(x)) around each whose shapes allow it. */
export class DeepNetwork extends nn.Module {
  layers: nn.ModuleList<nn.Sequential>;
  readonly useShortcut: boolean;

  constructor(layerSizes: readonly number[], useShortcut: boolean) {
    super();
    const pairs = layerSizes.slice(1).map((size, i) => [layerSizes[i], size]);
    this.layers = new nn.ModuleList(
      pairs.map(([from, to]) => new nn.Sequential(new nn.Linear(from, to), new GELU())),
    );
    this.useShortcut = useShortcut;
  }

  forward(x: Tensor): Tensor {
    for (const layer of this.layers) {
      const y = layer.forward(x);
      x = this.useShortcut && String(x.shape) === String(y.shape) ? x.add(y) : y;
    }
    return x;
  }
}

/**
 * The mean size of each weight's gradient, for the squared error of the output [1, 1] against 0. Without
 * shortcuts it shrinks from layer to layer on the way back; with them it reaches the first layer.
 */
export function gradientSizes(model: nn.Module, input: Tensor): [string, number][] {
  const error = model.forward(input).sub(tensor([[0]]));
  error.square().mean().backward();
  return noGrad(() =>
    [...model.namedParameters()]
      .filter(([name]) => name.endsWith('weight'))
      .map(([name, weight]) => [name, weight.grad!.abs().mean().item()]),
  );
}

/** The same five layers from the same seed, without shortcuts and with them. */
export function showShortcuts(nb: Notebook): void {
  const input = tensor([[1, 0, -1]]); // [1, 3]
  for (const { cell, useShortcut } of [
    { cell: 55, useShortcut: false },
    { cell: 57, useShortcut: true },
  ]) {
    manualSeed(123);
    const network = new DeepNetwork([3, 3, 3, 3, 3, 1], useShortcut);
    for (const [name, size] of gradientSizes(network, input)) {
      nb.print(cell, `${name} has gradient mean of ${size}`);
    }
  }
}
