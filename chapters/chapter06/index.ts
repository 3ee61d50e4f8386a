export {
  classNames,
  createBalancedDataset,
  describeData,
  factsOf,
  hashOf,
  type PreparedMessages,
  prepareMessages,
  showPreparing,
} from './02-preparing-the-dataset.ts';
export {
  type Batches,
  checkLength,
  makeDatasets,
  makeLoaders,
  PAD_TOKEN_ID,
  SpamDataset,
  showLoaders,
} from './03-data-loaders.ts';
export { EXAMPLES } from './04-pretrained-model.ts';
export {
  checkRank,
  chooseTrainable,
  type Method,
  NUM_CLASSES,
  prepareForMethod,
  replaceHead,
  wrapBlocksWithLoRA,
  wrapWithLoRA,
} from './05-classification-head.ts';
export {
  type ClassLogits,
  calcAccuracies,
  calcAccuracyLoader,
  calcAnswers,
  calcLossBatch,
  calcLossLoader,
  classWeightsOf,
  lastPositionOnly,
  percent,
  printAccuracies,
} from './06-loss-and-accuracy.ts';
export {
  cosineRate,
  type FineTuning,
  type FineTuningHistory,
  prepareFineTuning,
  showFineTuning,
  showResults,
  trainClassifierSimple,
  trainClassifierSteps,
  WEIGHT_DECAY,
} from './07-fine-tuning.ts';
export {
  classifyReview,
  classLogits,
  classProbabilities,
  showOwnClassifier,
  spamProbability,
} from './08-spam-classifier.ts';
export { CachedPrefix, firstLosses, frozenBlocks, leaveWorkOut } from './09-work-left-out.ts';
export {
  type ClassifierSettings,
  classifierFile,
  readClassifierSettings,
  saveClassifierSettings,
  TRAINED_ON_STAND_IN,
} from './classifier-file.ts';
export { classifierOf, LlamaClassifier, methodsFor } from './newer-models.ts';
export {
  defaultEpochs,
  defaultLearningRate,
  defaultSchedule,
  FAIRNESS_OPTIONS,
  LORA_OPTIONS,
  SPAM_OPTIONS,
  type SpamOptions,
} from './options.ts';
export { IS_SPLIT, isOwnData, OWN_DATA_OPTIONS } from './own-data.ts';
export {
  type Answers,
  againstMajority,
  type ClassMeasures,
  confusionMatrix,
  majorityOf,
  measuresOf,
  perClassTable,
  shareRight,
} from './per-class.ts';
export { classifyCommand, loadClassifier, saveAdapter, saveClassifier } from './saving.ts';
export { DEFAULT_SEED, randomSplit, stratifiedSplit } from './split.ts';
export { plotResults, pointsInWords } from './training-curves.ts';
