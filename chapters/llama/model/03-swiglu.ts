import { F, nn, type Tensor, tensor } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import type { LlamaConfig } from './config.ts';

/** SiLU, or Swish: x · sigmoid(x). Like GELU, a ReLU without the corner. `F.silu` does it in one pass. */
export function siluByHand(x: Tensor): Tensor {
  return x.mul(x.sigmoid());
}

/**
 * SwiGLU (Shazeer 2020, https://arxiv.org/abs/2002.05202): where GPT-2 has two layers with GELU in between, Llama has
 * three. One makes the hidden numbers, another a gate for each of them between "closed" and "open".
 *
 *      GPT-2:   x ── 4d ── GELU ── d
 *
 *      Llama:   x ─┬─ gate ── SiLU ─┐
 *                  └─ up ──────────(·)── down ── d
 */
export class FeedForward extends nn.Module {
  gate: nn.Linear;
  up: nn.Linear;
  down: nn.Linear;
  readonly activation: 'silu' | 'gelu';

  constructor({
    embDim,
    hiddenDim,
    activation = 'silu',
  }: Pick<LlamaConfig, 'embDim' | 'hiddenDim' | 'activation'>) {
    super();
    this.activation = activation;
    this.gate = new nn.Linear(embDim, hiddenDim, { bias: false });
    this.up = new nn.Linear(embDim, hiddenDim, { bias: false });
    this.down = new nn.Linear(hiddenDim, embDim, { bias: false });
  }

  /** x [b, t, d] → [b, t, hidden] → [b, t, d]. */
  forward(x: Tensor): Tensor {
    const gate = this.gate.forward(x); // [b, t, hidden]
    const open = this.activation === 'silu' ? F.silu(gate) : F.gelu(gate, { approximate: 'tanh' });
    return this.down.forward(open.mul(this.up.forward(x)));
  }
}

/** SiLU beside GELU, and the numbers of the two feed-forward layers. */
export function showFeedForward(nb: Notebook, { embDim, hiddenDim }: LlamaConfig): void {
  const x = tensor([-4, -2, -1, 0, 1, 2, 4]);
  nb.note(`x     ${x}`);
  nb.note(`SiLU  ${siluByHand(x)}`);
  nb.note(`GELU  ${F.gelu(x, { approximate: 'tanh' })}`);
  const [gpt, llama] = [2 * 4 * embDim * embDim + 5 * embDim, 3 * embDim * hiddenDim];
  nb.note(
    `Feed-forward of width ${embDim}: GPT-2's would have ${gpt.toLocaleString('en')} numbers, Llama's has ${llama.toLocaleString('en')}`,
  );
}
