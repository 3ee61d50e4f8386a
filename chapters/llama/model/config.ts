/** The sizes of a Llama. What GPT-2 also has goes by the same name (chapter 4's config.ts). */
export interface LlamaConfig {
  vocabSize: number;
  /** The most tokens the model can see at once. */
  contextLength: number;
  embDim: number;
  /** Heads of queries. */
  nHeads: number;
  /** Heads of keys and values: each is shared by nHeads / nKvHeads heads of queries. */
  nKvHeads: number;
  nLayers: number;
  /** Numbers of a head, if they are not embDim / nHeads. */
  headDim?: number;
  /** Width of the feed-forward layer. */
  hiddenDim: number;
  /** Base of the rotations' frequencies, θ. */
  ropeBase: number;
  /** What the frequency of each point of a head is divided by, in models made for longer texts (`slowedDown`). */
  ropeFactors?: readonly number[];
  normEps: number;
  /** Added to what the norms have learnt: 1 in Gemma, whose norms learn how far from 1 a scale is. */
  normOffset?: number;
  /** Are queries and keys normed, each head by itself, before they are turned? Qwen3's are. */
  qkNorm?: boolean;
  /** Scores are divided by the root of this, if it is not the numbers of a head. */
  queryScalar?: number;
  /** How many tokens a token sees, itself among them, if not all before it. */
  window?: number;
  /** What bends the gate of the feed-forward layer: SiLU, unless this says GELU (its tanh form). */
  activation?: 'silu' | 'gelu';
  /** Is the head the token embedding a second time? It is, unless this says no. */
  tied?: boolean;
}

/** Numbers of a head. */
export function headDimOf({
  embDim,
  nHeads,
  headDim = embDim / nHeads,
}: Pick<LlamaConfig, 'embDim' | 'nHeads' | 'headDim'>): number {
  return headDim;
}

/** SmolLM2-135M (Hugging Face, 2024), the smallest of its family. */
export const SMOLLM2_135M: LlamaConfig = {
  vocabSize: 49152,
  contextLength: 8192,
  embDim: 576,
  nHeads: 9,
  nKvHeads: 3,
  nLayers: 30,
  hiddenDim: 1536,
  ropeBase: 100_000,
  normEps: 1e-5,
};
