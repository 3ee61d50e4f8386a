import { arange, nn, type Tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { tokeniser } from './05-gpt2-tokeniser.ts';
import { firstBatch } from './06-sliding-window.ts';

/**
 * Attention, as the next chapter shows, treats the tokens as a set: it cannot tell “dog bites man” from “man bites
 * dog”. So a second table has a vector for every position, and the two are added.
 */
export class InputEmbedding extends nn.Module {
  tokens: nn.Embedding;
  positions: nn.Embedding;

  constructor(vocabSize: number, contextLength: number, dim: number) {
    super();
    this.tokens = new nn.Embedding(vocabSize, dim);
    this.positions = new nn.Embedding(contextLength, dim);
  }

  /** ids [b, t] → [b, t, dim]. */
  forward(ids: Tensor): Tensor {
    const tokens = this.tokens.forward(ids); // [b, t] → [b, t, dim]
    const positions = this.positions.forward(arange(ids.shape[1])); // [t, dim]
    return tokens.add(positions); // [b, t, dim] + [t, dim]: the same positions for every text of the batch
  }
}

/** A batch of ids as vectors that know their position. */
export function showPositions(nb: Notebook, text: string): void {
  const [inputs] = firstBatch(text); // [8, 4]
  const embedding = new InputEmbedding(tokeniser.vocabSize, 4, 256);
  nb.print(129, `Token IDs:\n ${inputs}`);
  nb.print(129, `\nInputs shape:\n ${torchSize(inputs.shape)}`);
  nb.print(130, torchSize(embedding.tokens.forward(inputs).shape)); // [8, 4, 256]
  nb.print(133, torchSize(embedding.positions.weight.shape)); // [4, 256]
  nb.print(135, torchSize(embedding.forward(inputs).shape)); // [8, 4, 256]
}
