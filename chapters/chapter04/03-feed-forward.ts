import { arange, F, nn, rand, type Tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { type Curve, plotCurves } from '../common/plot.ts';
import type { GPTConfig } from './config.ts';

/** GELU written out, in the tanh form that GPT-2 uses: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). */
export function geluByHand(x: Tensor): Tensor {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return inner.tanh().add(1).mul(x).mul(0.5);
}

/** The layer of the model. F.gelu computes the same in one pass; a test compares it with the formula above. */
export class GELU extends nn.Module {
  forward(x: Tensor): Tensor {
    return F.gelu(x, { approximate: 'tanh' });
  }
}

/** Each token by itself: into four times as many dimensions, through GELU, and back. */
export class FeedForward extends nn.Module {
  layers: nn.Sequential;

  constructor(config: Pick<GPTConfig, 'embDim'>) {
    super();
    const d = config.embDim;
    this.layers = new nn.Sequential(new nn.Linear(d, 4 * d), new GELU(), new nn.Linear(4 * d, d));
  }

  /** x [b, t, d] → [b, t, 4d] → [b, t, d]. */
  forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

/** GELU beside ReLU from −3 to 3, as a plot. */
async function plotActivations(path: string): Promise<void> {
  const x = arange(100)
    .mul(6 / 99)
    .sub(3); // [100]
  const curve = (name: string, y: Tensor): Curve => {
    const heights = y.toFlatArray() as number[];
    return { name, points: (x.toFlatArray() as number[]).map((at, i) => ({ x: at, y: heights[i] })) };
  };
  const curves = [curve('GELU', F.gelu(x, { approximate: 'tanh' })), curve('ReLU', x.relu())];
  await plotCurves(path, curves, { title: 'Two activation functions', x: 'x', y: 'activation(x)' });
}

/** The width of the model, and that the layer gives back the shape that it was given. */
export async function showFeedForward(nb: Notebook, config: GPTConfig, plotPath: string): Promise<void> {
  await plotActivations(plotPath);
  nb.note(`Plot: ${plotPath}`);
  nb.print(45, config.embDim);
  const layer = new FeedForward(config);
  nb.print(47, torchSize(layer.forward(rand(2, 3, config.embDim)).shape)); // [2, 3, d] → [2, 3, d]
}
