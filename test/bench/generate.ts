import { generateTextSimple } from '../../chapters/chapter04/index.ts';
import { randint } from '../../lib/index.ts';
import { gpt2Small } from './model.ts';
import { measure } from './timing.ts';

const PROMPT_TOKENS = 4;
const NEW_TOKENS = 25;

export interface GenerateResult {
  tokensPerSecond: number;
  promptTokens: number;
  newTokens: number;
  threads: number;
}

/** Tokens per second of chapter 4's greedy generation, which runs the whole text through GPT-2 small for each token. */
export async function generate(threads: number): Promise<GenerateResult> {
  const model = gpt2Small();
  const prompt = randint(0, model.config.vocabSize, [1, PROMPT_TOKENS]);
  const { contextLength } = model.config;
  const seconds = await measure(() => generateTextSimple(model, prompt, NEW_TOKENS, contextLength), 3);
  const tokensPerSecond = NEW_TOKENS / seconds;
  console.log(
    `${tokensPerSecond.toFixed(1)} tokens per second: ${NEW_TOKENS} after a prompt of ${PROMPT_TOKENS}, threads: ${threads}`,
  );
  return { tokensPerSecond, promptTokens: PROMPT_TOKENS, newTokens: NEW_TOKENS, threads };
}
