import { cat, type nn, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import { tokeniser } from '../chapter02/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import type { GPTModel } from './06-gpt-model.ts';

/**
 * Greedy generation: appends, `maxNewTokens` times, the token that the model finds most likely next.
 * ids [b, t] → [b, t + maxNewTokens]. Only the last `contextSize` tokens are shown to the model.
 */
export function generateTextSimple(
  model: nn.Module,
  ids: Tensor,
  maxNewTokens: number,
  contextSize: number,
): Tensor {
  return noGrad(() => {
    for (let i = 0; i < maxNewTokens; i++) {
      const seen = ids.slice(1, -contextSize); // [b, ≤ contextSize]
      const logits = model.forward(seen).select(1, -1); // [b, t, vocab] → [b, vocab]
      const next = logits.softmax(-1).argmax(-1, true); // [b, 1]
      ids = cat([ids, next], 1); // [b, t + 1]
    }
    return ids;
  });
}

/** What an untrained model makes of a beginning: tokens, but no sense. */
export function showGeneration(nb: Notebook, model: GPTModel): void {
  const encoded = tokeniser.encode('Hello, I am');
  nb.print(90, `encoded: [${encoded.join(', ')}]`);
  const ids = tensor(encoded, { dtype: 'int32' }).unsqueeze(0); // [4] → [1, 4]
  nb.print(90, `encoded_tensor.shape: ${torchSize(ids.shape)}`);

  model.eval(); // no dropout
  const out = generateTextSimple(model, ids, 6, model.config.contextLength); // [1, 10]
  nb.print(91, `Output: ${out}`);
  nb.print(91, `Output length: ${out.shape[1]}`);
  nb.print(93, tokeniser.decode(out.toFlatArray() as number[]));
}
