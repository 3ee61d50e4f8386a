import { generateTextSimple } from '../../chapters/chapter04/index.ts';
import { generate as generateText } from '../../chapters/chapter05/index.ts';
import { formatTable } from '../../chapters/common/table.ts';
import { manualSeed, randint } from '../../lib/index.ts';
import { memorySpeed } from './memorySpeed.ts';
import { gpt2Small } from './model.ts';
import { measure, median } from './timing.ts';

const PROMPT_TOKENS = 4;
const NEW_TOKENS = { without: 25, withCache: 60 };
const TURNS = 9;

export interface GenerateResult {
  tokensPerSecond: { without: number; withCache: number };
  /** At which this machine reads memory, with as many threads, in 10⁹ bytes a second. */
  memoryGBPerSecond: number;
  /** What part of the tokens that this would allow, if reading the weights were all there is to do, were generated. */
  share: number;
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
  const slow = await measure(() => generateTextSimple(model, prompt, NEW_TOKENS.without, contextLength), 2);
  const options = { maxNewTokens: NEW_TOKENS.withCache, contextSize: contextLength, cache: true };
  const withCache = () => generateText(model, prompt, options);
  for (let turn = 0; turn < 3; turn++) withCache(); // a token takes so little that V8 must have compiled what is around it
  // In turns: where others use the machine too, its memory is twice as fast in one minute as in the next.
  const turns: { tokens: number; gigabytes: number; share: number }[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const gigabytes = await memorySpeed(threads);
    const tokens = NEW_TOKENS.withCache / (await measure(withCache, 1));
    turns.push({ tokens, gigabytes, share: (tokens * 4 * numbers) / (gigabytes * 1e9) });
  }
  const [fast, memoryGBPerSecond, share] = (['tokens', 'gigabytes', 'share'] as const).map((name) =>
    median(turns.map((turn) => turn[name])),
  );
  const tokensPerSecond = { without: NEW_TOKENS.without / slow, withCache: fast };
  console.log(
    `without a cache: ${tokensPerSecond.without.toFixed(1)} tokens per second, threads: ${threads}`,
  );
  const percent = (value: number) => `${(100 * value).toFixed(0)}%`;
  console.log(`with it, in ${TURNS} turns, ${((4 * numbers) / 1e6).toFixed(0)} MB of weights a token:`);
  const row = ({ tokens, gigabytes, share }: (typeof turns)[number]) => [
    ...[tokens.toFixed(1), gigabytes.toFixed(1), percent(share)],
  ];
  const medians = { tokens: fast, gigabytes: memoryGBPerSecond, share };
  const rows = [...turns.map((turn, i) => [`${i + 1}`, ...row(turn)]), ['median', ...row(medians)]];
  console.log(formatTable(['turn', 'tokens/s', 'memory, GB/s', 'share'], rows));
  return { tokensPerSecond, memoryGBPerSecond, share, threads };
}
