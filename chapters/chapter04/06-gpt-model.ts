import { arange, type io, manualSeed, nn, type Tensor, UserError } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { LayerNorm } from './02-layer-norm.ts';
import { TransformerBlock } from './05-transformer-block.ts';
import type { KeyValueCache } from './08-key-value-cache.ts';
import type { GPTConfig } from './config.ts';
import { hubLayoutOf } from './hub-layout.ts';

/**
 * GPT-2 (Radford et al. 2019): token and position embeddings, a stack of transformer blocks, a last norm, and a
 * linear head that gives one logit for each token of the vocabulary.
 *
 * The keys of its `stateDict()` are those of the Python notebooks.
 */
export class GPTModel extends nn.Module {
  tokEmb: nn.Embedding;
  posEmb: nn.Embedding;
  dropEmb: nn.Dropout;
  trfBlocks: nn.Sequential<TransformerBlock[]>;
  finalNorm: LayerNorm;
  /** Chapter 6 puts a small classifier in its place; LoRA wraps it. */
  outHead: nn.Linear | nn.LinearWithLoRA;
  readonly config: GPTConfig;

  constructor(config: GPTConfig) {
    super();
    this.config = config;
    this.tokEmb = new nn.Embedding(config.vocabSize, config.embDim);
    this.posEmb = new nn.Embedding(config.contextLength, config.embDim);
    this.dropEmb = new nn.Dropout(config.dropRate);
    this.trfBlocks = new nn.Sequential(
      ...Array.from({ length: config.nLayers }, () => new TransformerBlock(config)),
    );
    this.finalNorm = new LayerNorm(config.embDim);
    this.outHead = new nn.Linear(config.embDim, config.vocabSize, { bias: false });
  }

  /**
   * Token ids [b, t] → logits [b, t, vocab]; with `lastOnly` [b, 1, vocab].
   * @throws UserError if there are more tokens than the model's context length, or if it has a past and trains with dropout
   */
  forward(ids: Tensor, options: ForwardOptions = {}): Tensor {
    let x = this.embed(ids, options.past?.length); // [b, t] → [b, t, d]
    x = this.throughBlocks(x, options); // [b, t, d]
    x = this.finalNorm.forward(x); // [b, t, d]
    return this.outHead.forward(x); // [b, t, vocab]
  }

  /** What each token is plus where it stands, the first one at position `start`: ids [b, t] → [b, t, d]. */
  embed(ids: Tensor, start = 0): Tensor {
    const end = start + ids.shape[1];
    const { contextLength } = this.config;
    if (end > contextLength) {
      throw new UserError(`the model sees at most ${contextLength} tokens, not ${end}: shorten the text`);
    }
    const x = this.tokEmb.forward(ids).add(this.posEmb.forward(arange(start, end))); // [b, t, d] + [t, d]
    return this.dropEmb.forward(x);
  }

  /** x [b, t, d] through the blocks, one after the other, from number `first` on → [b, t, d]; with `lastOnly` [b, 1, d]. */
  throughBlocks(x: Tensor, { past, lastOnly }: ForwardOptions = {}, first = 0): Tensor {
    if (past && this.training && this.config.dropRate > 0)
      throw new UserError('a cache goes with model.eval(): dropout would drop other numbers in each pass');
    for (let i = first; i < this.trfBlocks.length; i++) {
      // Every token of a block is looked at in the next one: only the last block can leave the others out.
      const isLast = i === this.trfBlocks.length - 1;
      x = this.trfBlocks.at(i).forward(x, { past: past?.layer(i), lastOnly: lastOnly && isLast });
    }
    return lastOnly ? x.slice(1, -1) : x;
  }

  /** What its layers are called at Hugging Face, for LoRA adapters that go there and come back. */
  hubLayout(): io.HubLayout {
    return hubLayoutOf(this);
  }
}

/** Two ways to leave out work that changes no result. They are an addition to the book. */
export interface ForwardOptions {
  /** What the blocks keep of the tokens before ids (section 8). That of ids joins it. */
  past?: KeyValueCache;
  /** Only the logits of the last token are asked for. */
  lastOnly?: boolean;
}

/** Numbers that a model learns, each counted once. */
export function countParameters(model: nn.Module, options: { trainableOnly?: boolean } = {}): number {
  const counted = model.parameters().filter((p) => !options.trainableOnly || p.requiresGrad);
  return counted.reduce((sum, p) => sum + p.size, 0);
}

/** Builds the model, runs it once, and counts its parameters, one by one and in megabytes of float32. */
export function showModel(nb: Notebook, config: GPTConfig, batch: Tensor): GPTModel {
  manualSeed(123);
  const model = new GPTModel(config);
  const logits = model.forward(batch); // [2, 4] → [2, 4, vocab]
  nb.print(72, `Input batch:\n ${batch}`);
  nb.print(72, `\nOutput shape: ${torchSize(logits.shape)}`);
  nb.print(72, logits);

  const total = countParameters(model);
  nb.print(74, `Total number of parameters: ${total.toLocaleString('en')}`);
  const head = model.outHead;
  nb.print(76, `Token embedding layer shape: ${torchSize(model.tokEmb.weight.shape)}`);
  nb.print(76, `Output layer shape: ${torchSize(head.weight.shape)}`);
  // GPT-2 uses the token embedding a second time as its head ("weight tying"): one matrix less.
  const tied = (total - countParameters(head)).toLocaleString('en');
  nb.print(78, `Number of trainable parameters considering weight tying: ${tied}`);
  nb.print(80, `Total size of the model: ${((total * 4) / 1024 ** 2).toFixed(2)} MB`);
  nb.figure('parameters', total);
  return model;
}
