import { cat, type nn, noGrad, type Tensor } from '../../lib/index.ts';

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
