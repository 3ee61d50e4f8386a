import { arange, manualSeed, nn, type Tensor, tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

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

/** A table of six vectors of three numbers, and rows read from it. */
export function showTokenEmbeddings(nb: Notebook): void {
  manualSeed(123);
  const layer = new nn.Embedding(6, 3);
  nb.print(111, layer.weight); // [6, 3]
  nb.print(114, layer.forward(tensor([3], { dtype: 'int32' }))); // [1] → [1, 3]
  nb.print(116, layer.forward(tensor([2, 3, 5, 1], { dtype: 'int32' }))); // [4] → [4, 3]
}
