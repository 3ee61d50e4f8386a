import { cat, manualSeed, type nn, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import { type GPTModel, generateTextSimple } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { START, textToTokenIds, tokenIdsToText } from './01-text-and-loss.ts';

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

/** A vocabulary small enough to print, and logits for what follows "every effort moves you". */
const WORDS = ['closer', 'every', 'effort', 'forward', 'inches', 'moves', 'pizza', 'toward', 'you'];
const NEXT_LOGITS = [4.51, 0.89, -1.9, 6.75, 1.63, -1.62, -1.89, 6.28, 1.79];

/** How often each word comes in 1,000 draws. */
function showDraws(nb: Notebook, cell: number, probas: Tensor): void {
  manualSeed(123);
  const counts = WORDS.map(() => 0);
  for (let i = 0; i < 1000; i++) counts[probas.multinomial(1).item()]++;
  WORDS.forEach((word, id) => {
    nb.print(cell, `${counts[id]} x ${word}`);
  });
}

/** The likeliest word, one drawn, and a thousand drawn at temperatures 1, 0.1 and 5. */
export function showTemperature(nb: Notebook): void {
  const logits = tensor(NEXT_LOGITS); // [9]
  const probas = logits.softmax(0); // [9]
  nb.print(91, WORDS[probas.argmax().item()]);
  manualSeed(123);
  nb.print(92, WORDS[probas.multinomial(1).item()]);
  showDraws(nb, 94, probas);
  nb.note('Temperature 0.1:');
  showDraws(nb, 100, softmaxWithTemperature(logits, 0.1));
  nb.note('Temperature 5:');
  showDraws(nb, 102, softmaxWithTemperature(logits, 5));
}

/** All but the three likeliest words get the logit −∞ and so the probability 0. */
export function showTopK(nb: Notebook): void {
  const logits = tensor([NEXT_LOGITS]); // [1, 9]
  const { values, indices } = logits.select(0, 0).topk(3); // [3] each
  nb.print(108, `Top logits: ${values}`);
  nb.print(108, `Top positions: ${indices}`);
  const kept = keepTopK(logits, 3).select(0, 0); // [9]
  nb.print(109, kept);
  nb.print(111, kept.softmax(0));
}

/** The pretrained model greedily. */
export function greedyText(model: GPTModel): string {
  const ids = generateTextSimple(model.eval(), textToTokenIds(START), 25, model.config.contextLength);
  return `Output text:\n ${tokenIdsToText(ids)}`;
}

/** The pretrained model with both: among the 25 likeliest, flattened by a temperature of 1.4. */
export function sampledText(model: GPTModel): string {
  manualSeed(123);
  const ids = generate(model.eval(), textToTokenIds(START), {
    maxNewTokens: 15,
    contextSize: model.config.contextLength,
    topK: 25,
    temperature: 1.4,
  });
  return `Output text:\n ${tokenIdsToText(ids)}`;
}
