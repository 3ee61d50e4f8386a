import type { GPTConfig } from '../../../chapters/chapter04/index.ts';

/** A model for tests: two blocks, three heads of four dimensions. */
export const TINY: GPTConfig = {
  vocabSize: 50,
  contextLength: 8,
  embDim: 12,
  nHeads: 3,
  nLayers: 2,
  dropRate: 0,
  qkvBias: false,
};
