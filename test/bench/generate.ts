import { generateTextSimple } from '../../chapters/chapter04/index.ts';
import { generate as generateText } from '../../chapters/chapter05/index.ts';
import { manualSeed, randint } from '../../lib/index.ts';
import { memorySpeed } from './memorySpeed.ts';
import { gpt2Small } from './model.ts';
import { measure } from './timing.ts';

const PROMPT_TOKENS = 4;
const NEW_TOKENS = { without: 25, withCache: 60 };

export interface GenerateResult {
  tokensPerSecond: { without: number; withCache: number };
  /** At which this machine reads memory, with as many threads, in 10⁹ bytes a second. */
  memoryGBPerSecond: number;
  /** Tokens per second if reading the weights were all there is to do. */
  bound: number;
  threads: number;
}

/**
 * Tokens per second of greedy generation with GPT-2 small: as in chapter 4, where the whole text goes through the model for
 * each token, and with a cache, where each token reads all weights once and what bounds it is the memory's speed.
 */
export async function generate(threads: number): Promise<GenerateResult> {
  const model = gpt2Small();
  manualSeed(1);
  const prompt = randint(0, model.config.vocabSize, [1, PROMPT_TOKENS]);
  const { contextLength } = model.config;
  // Of the token embedding a row is read for each token; the head is read whole.
  const numbers =
    model.parameters().reduce((sum, p) => sum + p.size, 0) -
    model.tokEmb.weight.size -
    model.posEmb.weight.size;
  const before = await memorySpeed(threads);
  const slow = await measure(() => generateTextSimple(model, prompt, NEW_TOKENS.without, contextLength), 2);
  const options = { maxNewTokens: NEW_TOKENS.withCache, contextSize: contextLength, cache: true };
  const withCache = () => generateText(model, prompt, options);
  for (let turn = 0; turn < 3; turn++) withCache(); // a token takes so little that V8 must have compiled what is around it
  const fast = await measure(withCache);
  const memoryGBPerSecond = Math.max(before, await memorySpeed(threads));
  const tokensPerSecond = { without: NEW_TOKENS.without / slow, withCache: NEW_TOKENS.withCache / fast };
  const bound = (memoryGBPerSecond * 1e9) / (4 * numbers);
  console.log(
    `without a cache: ${tokensPerSecond.without.toFixed(1)} tokens per second, threads: ${threads}`,
  );
  console.log(
    `with it: ${tokensPerSecond.withCache.toFixed(1)}, ${((100 * tokensPerSecond.withCache) / bound).toFixed(0)}% of the ` +
      `${bound.toFixed(1)} that ${memoryGBPerSecond.toFixed(1)} GB/s allow for ${((4 * numbers) / 1e6).toFixed(0)} MB a token`,
  );
  return { tokensPerSecond, memoryGBPerSecond, bound, threads };
}
