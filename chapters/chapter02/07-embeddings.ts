import { arange, nn, type Tensor } from '../../lib/index.ts';

/**
 * From ids to vectors. The ids of tokens have no more meaning than the numbers on coats in a cloakroom, so each gets
 * a vector that the model learns. An embedding is a table of them, and `nn.Embedding` reads rows from it.
 */

/**
 * What that stands for: ids as one-hot vectors (1 at the id's place, else 0), multiplied by the table. So an
 * embedding is a Linear layer that need not multiply by all the zeros. ids [t], table [vocab, dim] → [t, dim].
 */
export function embedByProduct(ids: Tensor, table: Tensor): Tensor {
  const oneHot = ids.unsqueeze(1).eq(arange(table.shape[0])).float(); // [t, 1] == [vocab] → [t, vocab]
  return oneHot.matmul(table); // [t, vocab] · [vocab, dim] → [t, dim]
}

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
