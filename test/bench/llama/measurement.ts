import { median } from '../timing.ts';

/** What a process measures, and how it says so: the last line that it prints. torch_llama.py does the same. */
export interface Measurement {
  /** Tokens per second of reading a prompt, and of generating after it. */
  prompt?: number;
  generation?: number;
  /** Of a LoRA step, rank 16 beside the seven Linears of each block: on 8 texts of 120 tokens, or on MESSAGES. */
  stepSeconds?: number;
  /** The most memory that the process has held, in GB (10⁹ bytes). */
  peakGB: number;
}

export type Task = 'answer' | 'step' | 'messages';

/** Tokens of the prompt and new ones, and how often they count, after once that warms up. */
export const [PROMPT, NEW, TURNS] = [512, 128, 2];
/** Tokens of each text of a batch: half of it is padding, as on average in batches of the SMS Spam Collection. */
export const MESSAGES = [14, 18, 24, 31, 36, 42, 52, 68];

/** Measures an answer: `read` reads the prompt, `generate` the new tokens after it. */
export async function measureAnswer(
  read: () => unknown,
  generate: () => unknown,
): Promise<Pick<Measurement, 'prompt' | 'generation'>> {
  const seconds: { prompt: number; generation: number }[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const start = performance.now();
    await read();
    const middle = performance.now();
    await generate();
    const end = performance.now();
    if (turn > 0) seconds.push({ prompt: (middle - start) / 1000, generation: (end - middle) / 1000 });
  }
  return {
    prompt: PROMPT / median(seconds.map(({ prompt }) => prompt)),
    generation: NEW / median(seconds.map(({ generation }) => generation)),
  };
}

/** Prints it, with the memory, and ends the process. */
export function report(found: Omit<Measurement, 'peakGB'>): never {
  console.log(
    JSON.stringify({ ...found, peakGB: process.resourceUsage().maxRSS / 1e6 } satisfies Measurement),
  );
  process.exit(0);
}
