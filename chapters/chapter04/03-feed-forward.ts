import { F, nn, type Tensor } from '../../lib/index.ts';
import type { GPTConfig } from './config.ts';

/** GELU written out, in the tanh form that GPT-2 uses: ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))). */
export function geluByHand(x: Tensor): Tensor {
  const inner = x.add(x.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return inner.tanh().add(1).mul(x).mul(0.5);
}

/** The layer of the model. F.gelu computes the same in one pass; a test holds it to the formula above. */
export class GELU extends nn.Module {
  forward(x: Tensor): Tensor {
    return F.gelu(x);
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
