import type { io, Tensor } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { formatTable } from '../../common/table.ts';
import { RMSNorm } from '../../llama/model/01-rms-norm.ts';
import { type Rotations, RotationTable } from '../../llama/model/02-rope.ts';
import type { LlamaOptions } from '../../llama/model/04-grouped-query-attention.ts';
import { LlamaBlock, LlamaModel } from '../../llama/model/05-llama-model.ts';
import { headDimOf, SMOLLM2_135M } from '../../llama/model/config.ts';
import { hubLayoutOf } from '../../llama/model/hub-layout.ts';
import { GEMMA3_270M, type GemmaConfig } from './config.ts';

/**
 * Llama's block with a norm behind each half as well. What a half adds to the shortcut then has a size that was learnt,
 * whatever came out of attention or feed-forward, and training does not run away.
 *
 *      Llama   x ─┬─ norm ── attention ──────────(+)─┬─ norm ── feed-forward ──────────(+)──
 *                 └───────────────────────────────┘  └───────────────────────────────────┘
 *
 *      Gemma   x ─┬─ norm ── attention ── norm ──(+)─┬─ norm ── feed-forward ── norm ──(+)──
 *                 └───────────────────────────────┘  └───────────────────────────────────┘
 */
export class GemmaBlock extends LlamaBlock {
  norm1After: RMSNorm;
  norm2After: RMSNorm;

  /** @param windowed does a token see only the model's window here? */
  constructor(config: GemmaConfig, windowed: boolean) {
    super({ ...config, window: windowed ? config.window : undefined });
    this.norm1After = new RMSNorm(config.embDim, config.normEps, config.normOffset);
    this.norm2After = new RMSNorm(config.embDim, config.normEps, config.normOffset);
  }

  /** x [b, t, d] → [b, t, d]; with `lastOnly` [b, 1, d]. The options are attention's. */
  override forward(x: Tensor, turns: Rotations, options: LlamaOptions = {}): Tensor {
    const shortcut = options.lastOnly ? x.slice(1, -1) : x; // [b, t, d]
    const attended = this.att.forward(this.norm1.forward(x), turns, options);
    x = shortcut.add(this.norm1After.forward(attended));
    return x.add(this.norm2After.forward(this.ff.forward(this.norm2.forward(x))));
  }
}

/** Our name for each norm of a block, and transformers'. What stands behind attention there stands before feed-forward in a Llama. */
const HUB_NORMS: Readonly<Record<string, string>> = {
  norm1: 'input_layernorm',
  norm1_after: 'post_attention_layernorm',
  norm2: 'pre_feedforward_layernorm',
  norm2_after: 'post_feedforward_layernorm',
};

/**
 * Gemma 3 (Gemma Team 2025, https://arxiv.org/abs/2503.19786): a Llama with other blocks, two rotations, and an embedding
 * that is scaled up, so that its numbers are as large as what the blocks add.
 */
export class GemmaModel extends LlamaModel {
  declare readonly config: GemmaConfig;
  readonly #windowRotations: RotationTable;

  constructor(config: GemmaConfig) {
    super(config);
    const { contextLength, windowRopeBase, windowRopeFactors } = config;
    this.#windowRotations = new RotationTable(
      headDimOf(config),
      contextLength,
      windowRopeBase,
      windowRopeFactors,
    );
  }

  protected override makeBlock(i: number): GemmaBlock {
    return new GemmaBlock(this.config, this.config.windowed[i]);
  }

  /** Token ids [b, t] → [b, t, d]. */
  protected override embed(ids: Tensor): Tensor {
    return super.embed(ids).mul(Math.sqrt(this.config.embDim));
  }

  /** Far-off tokens need slow hands, and near ones fast: blocks that see all turn a hundred times as slowly. */
  protected override rotationsOf(i: number, tokens: number): Rotations {
    return this.config.windowed[i] ? this.#windowRotations.upTo(tokens) : super.rotationsOf(i, tokens);
  }

  override hubLayout(): io.HubLayout {
    return hubLayoutOf(this, HUB_NORMS);
  }
}

/** Where the numbers of a Llama and of a Gemma are, side by side. */
export function showSizes(nb: Notebook): void {
  const [llama, gemma] = [SMOLLM2_135M, GEMMA3_270M].map((config) => {
    const { vocabSize, embDim: d, nHeads, nKvHeads, nLayers, hiddenDim } = config;
    const head = headDimOf(config);
    const [attention, feedForward] = [2 * d * (nHeads + nKvHeads) * head, 3 * d * hiddenDim];
    const norms = config.qkNorm ? 4 * d + 2 * head : 2 * d;
    const blocks = nLayers * (attention + feedForward + norms);
    return [vocabSize * d, attention, feedForward, norms, blocks, vocabSize * d + blocks + d];
  });
  const names = ['token embedding, which is the head too', 'attention of a block', 'feed-forward of a block'];
  const rows = [...names, 'norms of a block', 'all blocks', 'the whole'].map((name, i) => [
    name,
    llama[i].toLocaleString('en'),
    gemma[i].toLocaleString('en'),
  ]);
  nb.note(formatTable(['numbers in', 'SmolLM2-135M', 'Gemma 3 270M'], rows));
}
