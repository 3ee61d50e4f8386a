export { type EncodeOptions, type Tokeniser, tokeniser } from './05-gpt2-tokeniser.ts';
export { createDataloaderV1, type DataloaderV1Options, GPTDatasetV1 } from './06-sliding-window.ts';
export { type MergeOfPair, pairKey } from './09-byte-pair-encoding.ts';
export { gpt2Files, visibleBytes } from './gpt2-merges.ts';
export { END_OF_TEXT, END_OF_TEXT_ID, gpt2TokenBytes } from './gpt2-vocabulary.ts';
export { mergeByRank, remembered } from './merge-by-rank.ts';
export { PIECES } from './pieces.ts';
