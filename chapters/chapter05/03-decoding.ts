import { cat, type nn, noGrad, type Tensor } from '../../lib/index.ts';

export interface DecodingOptions {
  maxNewTokens: number;
  contextSize: number;
  /** 0 takes the most likely token; above it, draws: the higher, the more evenly. */
  temperature?: number;
  /** Draws among the k most likely tokens only. */
  topK?: number;
  /** Stops when this id comes. */
  eosId?: number;
}

/** Probabilities of logits [..., v] divided by a temperature: below 1 sharper, above 1 flatter. */
export function softmaxWithTemperature(logits: Tensor, temperature: number): Tensor {
  return logits.div(temperature).softmax(-1);
}

/** −∞ in place of all but the k largest of logits [b, v]. */
export function keepTopK(logits: Tensor, k: number): Tensor {
  const smallest = logits.topk(k).values.slice(-1, -1); // [b, k] → [b, 1]
  return logits.maskedFill(logits.lt(smallest), Number.NEGATIVE_INFINITY); // [b, v]
}

/** Continues ids [b, t] by up to `maxNewTokens` tokens, greedily or with temperature and top-k sampling. */
export function generate(model: nn.Module, ids: Tensor, options: DecodingOptions): Tensor {
  const { maxNewTokens, contextSize, temperature = 0, topK, eosId } = options;
  return noGrad(() => {
    for (let i = 0; i < maxNewTokens; i++) {
      let logits = model.forward(ids.slice(1, -contextSize)).select(1, -1); // [b, t, v] → [b, v]
      if (topK !== undefined) logits = keepTopK(logits, topK);
      const next =
        temperature > 0
          ? softmaxWithTemperature(logits, temperature).multinomial(1) // [b, 1]
          : logits.argmax(-1, true); // [b, 1]
      if (eosId !== undefined && next.eq(eosId).all().item()) break;
      ids = cat([ids, next], 1); // [b, t + 1]
    }
    return ids;
  });
}
