import { headDimOf, type LlamaConfig } from '../../llama/model/config.ts';

/** The sizes of a Gemma 3: a Llama's, and what differs from block to block. */
export interface GemmaConfig extends LlamaConfig {
  /** How many tokens a token sees in a block with a window, itself among them. */
  window: number;
  /** For each block: has it a window? The others see all that came before. */
  windowed: readonly boolean[];
  /** Base of the rotations' frequencies in blocks with a window; `ropeBase` is the others'. */
  windowRopeBase: number;
  /** What those frequencies are divided by, if by anything. */
  windowRopeFactors?: readonly number[];
}

/** Five blocks with a window, then one without, and so on. */
export function everySixthSeesAll(nLayers: number, period = 6): boolean[] {
  return Array.from({ length: nLayers }, (_, i) => (i + 1) % period !== 0);
}

/** How many numbers a cache of keys and values keeps for a text of so many tokens. */
export function numbersKept(config: GemmaConfig, tokens: number): number {
  const eachToken = 2 * config.nKvHeads * headDimOf(config);
  const seen = config.windowed.map((has) => (has ? Math.min(config.window, tokens) : tokens));
  return eachToken * seen.reduce((sum, count) => sum + count, 0);
}

/** What is the same in all sizes of Gemma 3. */
export const GEMMA3 = {
  qkNorm: true,
  normOffset: 1,
  activation: 'gelu',
} as const satisfies Partial<GemmaConfig>;

/** Gemma 3 270M (Google, 2025), the smallest of its family. */
export const GEMMA3_270M: GemmaConfig = {
  ...GEMMA3,
  vocabSize: 262_144,
  contextLength: 32_768,
  embDim: 640,
  nHeads: 4,
  nKvHeads: 1,
  headDim: 256,
  nLayers: 18,
  hiddenDim: 2048,
  ropeBase: 1_000_000,
  windowRopeBase: 10_000,
  window: 512,
  windowed: everySixthSeesAll(18),
  normEps: 1e-6,
};
