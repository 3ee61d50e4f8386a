export { KeyValueCache } from '../chapter04/index.ts';
export { loadModel } from '../models/index.ts';
export { gemmaNormByHand } from './model/01-norms.ts';
export { windowPicture } from './model/03-sliding-window.ts';
export { GemmaBlock, GemmaModel } from './model/04-gemma-model.ts';
export {
  mergeByRank,
  type RankOfPair,
  ranksByMerges,
  ranksByScore,
  SentencePieceTokeniser,
} from './model/05-sentence-piece.ts';
export { GEMMA3_270M, type GemmaConfig, numbersKept } from './model/config.ts';
