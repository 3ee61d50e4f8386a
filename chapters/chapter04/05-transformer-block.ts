import { manualSeed, nn, rand, type Tensor } from '../../lib/index.ts';
import { type AttentionOptions, MultiHeadAttention } from '../chapter03/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { LayerNorm } from './02-layer-norm.ts';
import { FeedForward } from './03-feed-forward.ts';
import type { GPTConfig } from './config.ts';

/** Attention, where tokens look at each other, and the feed-forward layer, each behind a norm and with a shortcut. */
export class TransformerBlock extends nn.Module {
  att: MultiHeadAttention;
  ff: FeedForward;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropShortcut: nn.Dropout;

  constructor(config: GPTConfig) {
    super();
    const { embDim, contextLength, dropRate, nHeads, qkvBias } = config;
    this.att = new MultiHeadAttention(embDim, embDim, contextLength, dropRate, nHeads, { qkvBias });
    this.ff = new FeedForward(config);
    this.norm1 = new LayerNorm(embDim);
    this.norm2 = new LayerNorm(embDim);
    this.dropShortcut = new nn.Dropout(dropRate);
  }

  /** x [b, t, d] → [b, t, d]; with `lastOnly` [b, 1, d]. The options are attention's (chapter 3). */
  forward(x: Tensor, options: AttentionOptions = {}): Tensor {
    const shortcut = options.lastOnly ? x.slice(1, -1) : x; // [b, t, d]
    const attended = this.att.forward(this.norm1.forward(x), options); // [b, t, d]
    x = shortcut.add(this.dropShortcut.forward(attended));
    const transformed = this.ff.forward(this.norm2.forward(x)); // [b, t, d]
    return x.add(this.dropShortcut.forward(transformed));
  }
}

/** A block keeps the shape, which is why any number of them can be stacked. */
export function showBlock(nb: Notebook, config: GPTConfig): void {
  manualSeed(123);
  const x = rand(2, 4, config.embDim); // [2, 4, d]
  const output = new TransformerBlock(config).forward(x); // [2, 4, d]
  nb.print(64, `Input shape: ${torchSize(x.shape)}`);
  nb.print(64, `Output shape: ${torchSize(output.shape)}`);
}
