import { type io, isGradEnabled, nn, type Tensor, tidy, UserError } from '../../../lib/index.ts';
import { type ForwardOptions, GPT_CONFIG_124M } from '../../chapter04/index.ts';
import { largest } from '../../common/largest.ts';
import type { Notebook } from '../../common/notebook.ts';
import { formatTable } from '../../common/table.ts';
import { RMSNorm } from './01-rms-norm.ts';
import { type Rotations, RotationTable } from './02-rope.ts';
import { FeedForward } from './03-swiglu.ts';
import { GroupedQueryAttention, type LlamaOptions } from './04-grouped-query-attention.ts';
import { headDimOf, type LlamaConfig } from './config.ts';
import { hubLayoutOf } from './hub-layout.ts';

/** Chapter 4's block with Llama's parts: attention and feed-forward, each behind a norm and with a shortcut. */
export class LlamaBlock extends nn.Module {
  att: GroupedQueryAttention;
  ff: FeedForward;
  norm1: RMSNorm;
  norm2: RMSNorm;

  constructor(config: LlamaConfig) {
    super();
    this.att = new GroupedQueryAttention(config);
    this.ff = new FeedForward(config);
    this.norm1 = new RMSNorm(config.embDim, config.normEps, config.normOffset);
    this.norm2 = new RMSNorm(config.embDim, config.normEps, config.normOffset);
  }

  /** x [b, t, d] → [b, t, d]; with `lastOnly` [b, 1, d]. The options are attention's. */
  forward(x: Tensor, turns: Rotations, options: LlamaOptions = {}): Tensor {
    const shortcut = options.lastOnly ? x.slice(1, -1) : x; // [b, t, d]
    x = shortcut.add(this.att.forward(this.norm1.forward(x), turns, options));
    return x.add(this.ff.forward(this.norm2.forward(x)));
  }
}

/**
 * Llama (Touvron et al. 2023, https://arxiv.org/abs/2302.13971), with the fields of chapter 4's GPTModel, so that what
 * chapters 5 and 6 do with a GPT they do with a Llama too. There is no position embedding: positions enter in each block.
 * The head is the token embedding a second time, unless the configuration says that it is a matrix of its own.
 */
export class LlamaModel extends nn.Module {
  tokEmb: nn.Embedding;
  trfBlocks: nn.ModuleList<LlamaBlock>;
  finalNorm: RMSNorm;
  /** A Linear; chapter 6 puts a small classifier in its place; LoRA wraps it. */
  outHead: nn.Linear | nn.LinearWithLoRA;
  readonly config: LlamaConfig;
  readonly #rotations: RotationTable;

  constructor(config: LlamaConfig) {
    super();
    this.config = config;
    this.tokEmb = new nn.Embedding(config.vocabSize, config.embDim);
    this.trfBlocks = new nn.ModuleList(Array.from({ length: config.nLayers }, (_, i) => this.makeBlock(i)));
    this.finalNorm = new RMSNorm(config.embDim, config.normEps, config.normOffset);
    this.outHead =
      config.tied === false
        ? new nn.Linear(config.embDim, config.vocabSize, { bias: false })
        : nn.Linear.of(this.tokEmb.weight, null);
    const { contextLength, ropeBase, ropeFactors } = config;
    this.#rotations = new RotationTable(headDimOf(config), contextLength, ropeBase, ropeFactors);
  }

  /** The i-th block. A family whose blocks are made otherwise says so here, and in the two methods below. */
  protected makeBlock(_i: number): LlamaBlock {
    return new LlamaBlock(this.config);
  }

  /** Token ids [b, t] → [b, t, d]. */
  protected embed(ids: Tensor): Tensor {
    return this.tokEmb.forward(ids);
  }

  /** What the i-th block turns the queries and keys of the first `tokens` positions by. */
  protected rotationsOf(_i: number, tokens: number): Rotations {
    return this.#rotations.upTo(tokens);
  }

  /**
   * Token ids [b, t] → logits [b, t, vocab]; with `lastOnly` [b, 1, vocab].
   * @throws UserError if there are more tokens than the model's context length
   */
  forward(ids: Tensor, options: ForwardOptions = {}): Tensor {
    return this.outHead.forward(this.hidden(ids, options)); // [b, t, vocab]
  }

  /** What the head reads: token ids [b, t] → [b, t, d]; with `lastOnly` [b, 1, d]. @throws UserError as `forward` does */
  hidden(ids: Tensor, { past, lastOnly }: ForwardOptions = {}): Tensor {
    const tokens = (past?.length ?? 0) + ids.shape[1];
    const isLast = (i: number) => i === this.trfBlocks.length - 1;
    return this.#throughBlocks(ids, tokens, (i) => ({
      past: past?.layer(i),
      lastOnly: lastOnly && isLast(i),
    }));
  }

  /**
   * The same for several texts, one behind another and without any padding: ids [1, Σ lengths] → [1, Σ lengths, d].
   * @throws UserError if one of them is longer than the model's context length
   */
  hiddenOfTexts(ids: Tensor, lengths: readonly number[]): Tensor {
    return this.#throughBlocks(ids, largest(lengths), () => ({ lengths }));
  }

  /** @param longest tokens of the longest text, with those that came before ids */
  #throughBlocks(ids: Tensor, longest: number, optionsOf: (block: number) => LlamaOptions): Tensor {
    const { contextLength } = this.config;
    if (longest > contextLength)
      throw new UserError(`the model sees at most ${contextLength} tokens, not ${longest}: shorten the text`);
    let x = this.embed(ids); // [b, t] → [b, t, d]
    for (const [i, block] of [...this.trfBlocks].entries()) {
      const turns = this.rotationsOf(i, longest);
      const step = () => block.forward(x, turns, optionsOf(i)); // [b, t, d]
      // What a block computes on the way is a hundred times its result, and only backward would read it again.
      x = isGradEnabled() ? step() : tidy(step);
    }
    return this.finalNorm.forward(x);
  }

  /** What its layers are called at Hugging Face, for LoRA adapters that go there and come back. */
  hubLayout(): io.HubLayout {
    return hubLayoutOf(this);
  }
}

/** The sizes of GPT-2 small and of a Llama, side by side, and where their numbers are. */
export function showSizes(nb: Notebook, config: LlamaConfig): void {
  const gpt = GPT_CONFIG_124M;
  const d = gpt.embDim;
  const head = headDimOf(config);
  const count = (x: number) => x.toLocaleString('en');
  const attention = 2 * config.embDim * config.nHeads * head + 2 * config.embDim * config.nKvHeads * head;
  const block = attention + 3 * config.embDim * config.hiddenDim + 2 * config.embDim;
  const gptBlock = 4 * d * d + 4 * d + 8 * d * d + 5 * d + 4 * d;
  const rows: [string, number, number][] = [
    ['token embedding, which is the head too', gpt.vocabSize * d, config.vocabSize * config.embDim],
    ['position embedding', gpt.contextLength * d, 0],
    ['attention of a block', 4 * d * d + 4 * d, attention],
    ['feed-forward of a block', 8 * d * d + 5 * d, 3 * config.embDim * config.hiddenDim],
    ['two norms of a block', 4 * d, 2 * config.embDim],
    ['all blocks', gpt.nLayers * gptBlock, config.nLayers * block],
    [
      'the whole',
      (gpt.vocabSize + gpt.contextLength) * d + gpt.nLayers * gptBlock + 2 * d,
      config.vocabSize * config.embDim + config.nLayers * block + config.embDim,
    ],
  ];
  const cells = rows.map(([name, theirs, ours]) => [name, count(theirs), count(ours)]);
  nb.note(formatTable(['numbers in', 'GPT-2 small', 'SmolLM2-135M'], cells));
}
