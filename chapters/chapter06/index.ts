export type { LabelledText } from '../datasets/index.ts';
export { PAD_TOKEN_ID, SpamDataset } from './01-dataset.ts';
export { chooseTrainable, type Method, NUM_CLASSES, replaceHead, wrapWithLoRA } from './02-classifier.ts';
export {
  createBalancedDataset,
  DEFAULT_SEED,
  type PreparedMessages,
  prepareMessages,
  randomSplit,
} from './02-preparing-the-dataset.ts';
export { calcAccuracyLoader, calcLossBatch, calcLossLoader } from './03-evaluation.ts';
export { type FineTuningHistory, percent, trainClassifierSimple } from './04-fine-tuning.ts';
export { classifyReview } from './05-classify.ts';
export { CachedPrefix, frozenBlocks, LastPositionClassifier } from './06-work-not-done.ts';
