export { tokeniser } from '../chapter02/index.ts';
export {
  type Batches,
  calcLossBatch,
  calcLossLoader,
  type LossOfBatch,
  type Tokeniser,
  textToTokenIds,
  tokenIdsToText,
} from './01-text-and-loss.ts';
export {
  emptyLossHistory,
  evaluateModel,
  generateAndPrintSample,
  type LossHistory,
  lossLine,
  plotLosses,
  trainModelSimple,
  trainModelSteps,
} from './02-training.ts';
export {
  type DecodingOptions,
  generate,
  generateSteps,
  keepTopK,
  keepTopP,
  type LanguageModel,
  softmaxWithTemperature,
} from './03-decoding.ts';
export { loadWeightsIntoGpt, toOpenAI, type Weights } from './05-openai-weights.ts';
export { MODEL_NAMES, type ModelName, modelConfig } from './models.ts';
export {
  hubName,
  MINI_WEIGHTS,
  type ModelSource,
  obtainModel,
  obtainTextModel,
  type TextModel,
} from './obtain-model.ts';
