import { arange, manualSeed, nn, type Tensor, tensor } from '../../lib/index.ts';
import { tokeniser } from '../chapter02/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import type { GPTConfig } from './config.ts';

/**
 * The outline of a GPT with its two essential parts still missing: ids go in, one row of logits per token comes
 * out, and in between stand blocks and a norm that do nothing yet. The shapes are already the final ones.
 */
export class DummyGPTModel extends nn.Module {
  tokEmb: nn.Embedding;
  posEmb: nn.Embedding;
  dropEmb: nn.Dropout;
  trfBlocks: nn.Sequential;
  finalNorm: DummyLayer;
  outHead: nn.Linear;

  constructor(config: GPTConfig) {
    super();
    this.tokEmb = new nn.Embedding(config.vocabSize, config.embDim);
    this.posEmb = new nn.Embedding(config.contextLength, config.embDim);
    this.dropEmb = new nn.Dropout(config.dropRate);
    this.trfBlocks = new nn.Sequential(...Array.from({ length: config.nLayers }, () => new DummyLayer()));
    this.finalNorm = new DummyLayer();
    this.outHead = new nn.Linear(config.embDim, config.vocabSize, { bias: false });
  }

  forward(ids: Tensor): Tensor {
    const tokens = ids.shape[1]; // ids [b, t]
    let x = this.tokEmb.forward(ids).add(this.posEmb.forward(arange(tokens))); // [b, t, d]
    x = this.dropEmb.forward(x);
    x = this.trfBlocks.forward(x);
    x = this.finalNorm.forward(x);
    return this.outHead.forward(x); // [b, t, vocab]
  }
}

/** Stands where a layer will be: what comes in goes out. */
class DummyLayer extends nn.Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** Two texts of four tokens each: the batch [2, 4] that the chapter's models are shown. */
export function exampleBatch(): Tensor {
  const texts = ['Every effort moves you', 'Every day holds a'];
  return tensor(
    texts.map((text) => tokeniser.encode(text)),
    { dtype: 'int32' },
  );
}

/** What goes in and what comes out, before there is anything in between. */
export function showOutline(nb: Notebook, config: GPTConfig): void {
  const batch = exampleBatch(); // [2, 4]
  nb.print(15, batch);
  manualSeed(123);
  const logits = new DummyGPTModel(config).forward(batch); // [2, 4] → [2, 4, vocab]
  nb.print(16, `Output shape: ${torchSize(logits.shape)}`);
  nb.print(16, logits);
}
