import {
  cat,
  checkOptions,
  manualSeed,
  type Tensor,
  tensor,
  tidy,
  UserError,
  zeros,
} from '../../lib/index.ts';
import { type ForwardOptions, type GPTModel, generateTextSimple, KeyValueCache } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { START, textToTokenIds, tokenIdsToText } from './01-text-and-loss.ts';

/** What generation asks of a model, be it a GPT or a Llama: ids [b, t] → logits [b, t, v], or [b, 1, v] with `lastOnly`. */
export interface LanguageModel {
  forward(ids: Tensor, options?: ForwardOptions): Tensor;
}

export interface DecodingOptions {
  maxNewTokens: number;
  contextSize: number;
  /** 0 takes the most likely token; above it, draws: the higher, the more evenly. */
  temperature?: number;
  /** Draws among the k most likely tokens only. */
  topK?: number;
  /** Draws among the most likely tokens that together have this probability, e.g. 0.9. */
  topP?: number;
  /**
   * Stops when this id, or one of these, has come in every row. A row in which one came is padded with the first of them.
   */
  eosId?: number | readonly number[];
  /**
   * Keeps keys and values (chapter 4, section 8): the same tokens, in a fraction of the time. For a model in eval mode. A
   * cache that is given has read the beginning of ids, and reads on.
   */
  cache?: boolean | KeyValueCache;
}

const DECODING_OPTIONS = [
  ...(['maxNewTokens', 'contextSize', 'temperature', 'topK', 'topP', 'eosId', 'cache'] as const),
];

/** Probabilities of logits [..., v] divided by a temperature: below 1 sharper, above 1 flatter. */
export function softmaxWithTemperature(logits: Tensor, temperature: number): Tensor {
  return logits.div(temperature).softmax(-1);
}

/** @throws UserError unless the temperature is at least 0, and topK and topP leave something to draw among */
function checkDrawing({ temperature = 0, topK = 1, topP = 1 }: Partial<DecodingOptions>): void {
  const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
  if (!(isNumber(temperature) && temperature >= 0))
    throw new UserError(`the temperature is a number of at least 0, not ${temperature}`);
  if (!(Number.isInteger(topK) && topK >= 1))
    throw new UserError(`topK is a whole number from 1 up, not ${topK}: how many tokens to draw among`);
  if (!(isNumber(topP) && topP > 0 && topP <= 1))
    throw new UserError(
      `topP is a probability above 0 and at most 1, not ${topP}: of the tokens to draw among`,
    );
}

/** −∞ in place of all but the k largest of logits [b, v]. @throws UserError unless k is from 1 to v */
export function keepTopK(logits: Tensor, k: number): Tensor {
  checkDrawing({ topK: k });
  const smallest = logits.topk(k).values.slice(-1, -1); // [b, k] → [b, 1]
  return logits.maskedFill(logits.lt(smallest), Number.NEGATIVE_INFINITY); // [b, v]
}

/**
 * −∞ in place of all logits [b, v] but those of the most likely tokens that together have the probability p: as many as
 * it takes where the model is in doubt, and few where it is sure (nucleus sampling, Holtzman et al. 2019,
 * https://arxiv.org/abs/1904.09751).
 * @throws UserError unless 0 < p ≤ 1
 */
export function keepTopP(logits: Tensor, p: number): Tensor {
  checkDrawing({ topP: p });
  const { values, indices } = logits.softmax(-1).sort(-1, true); // [b, v] each, the most likely first
  const before = values.cumsum(-1).sub(values); // [b, v], the probability of those that are likelier
  const dropped = before.ge(p).float(); // never the first
  const places = zeros(...logits.shape).scatter(-1, indices, dropped); // [b, v], back where they were
  return logits.maskedFill(places.ne(0), Number.NEGATIVE_INFINITY);
}

/** The next token of each row: logits [b, v] → ids [b, 1], the most likely ones, or drawn. */
function chooseNext(
  logits: Tensor,
  { temperature = 0, topK, topP }: Pick<DecodingOptions, 'temperature' | 'topK' | 'topP'>,
): Tensor {
  if (temperature === 0) return logits.argmax(-1, true); // [b, 1]
  let kept = topK === undefined ? logits : keepTopK(logits, topK); // [b, v]
  kept = kept.div(temperature);
  if (topP !== undefined) kept = keepTopP(kept, topP);
  return kept.softmax(-1).multinomial(1); // [b, 1]
}

/**
 * Continues ids [b, t] token by token, greedily or with temperature, top-k and top-p, and yields each one as it comes,
 * [b, 1], up to `maxNewTokens` of them.
 *
 * @throws UserError on an option that is unknown or out of its range, if there is nothing to continue, or with a cache if the model is training with
 * dropout
 */
export function* generateSteps(
  model: LanguageModel,
  ids: Tensor,
  options: DecodingOptions,
): Generator<Tensor> {
  checkOptions('generate', options, DECODING_OPTIONS);
  checkDrawing(options);
  const { maxNewTokens, contextSize, eosId = [] } = options;
  const ends = [eosId].flat();
  let past = options.cache === true ? new KeyValueCache() : options.cache || undefined;
  let ended: Tensor | undefined; // [b, 1]
  if (ids.shape[1] <= (past?.length ?? 0))
    throw new UserError('there is nothing to continue: give at least one token');
  for (let i = 0; i < maxNewTokens; i++) {
    // A text that has outgrown the context is shown from a later beginning each time, and every position changes.
    if (ids.shape[1] > contextSize) past = undefined;
    const next = tidy(() => {
      const shown = past ? ids.slice(1, past.length) : ids.slice(1, -contextSize); // [b, ≤ contextSize]
      const logits = model.forward(shown, { past, lastOnly: true }).select(1, -1); // [b, 1, v] → [b, v]
      const chosen = chooseNext(logits, options); // [b, 1]
      return ended ? chosen.maskedFill(ended, ends[0]) : chosen;
    });
    if (ends.length > 0) {
      // A row that has ended has been filled with an end.
      ended = ends.map((id) => next.eq(id)).reduce((some, more) => some.logicalOr(more)); // [b, 1]
      if (ended.all().item()) return;
    }
    yield next;
    ids = cat([ids, next], 1); // [b, t + 1]
  }
}

/** Continues ids [b, t] by up to `maxNewTokens` tokens: see `generateSteps`. */
export function generate(model: LanguageModel, ids: Tensor, options: DecodingOptions): Tensor {
  return cat([ids, ...generateSteps(model, ids, options)], 1); // [b, t + new]
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

/** The pretrained model, greedily. */
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
