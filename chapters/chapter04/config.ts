/** The sizes of a GPT. */
export interface GPTConfig {
  /** Tokens that the tokeniser knows. */
  vocabSize: number;
  /** The most tokens the model can see at once. */
  contextLength: number;
  /** The length of the vector that stands for a token. */
  embDim: number;
  /** Attention heads per block; embDim is divided among them. */
  nHeads: number;
  /** Transformer blocks. */
  nLayers: number;
  dropRate: number;
  /** Do the query, key and value projections have a bias? OpenAI's weights do. */
  qkvBias: boolean;
}

/** GPT-2's smallest size, "124M". */
export const GPT_CONFIG_124M: GPTConfig = {
  vocabSize: 50257,
  contextLength: 1024,
  embDim: 768,
  nHeads: 12,
  nLayers: 12,
  dropRate: 0.1,
  qkvBias: false,
};
