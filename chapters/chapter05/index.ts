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
export {
  calcLossWithoutPadding,
  continued,
  lossOfText,
  type NewerModel,
} from './06-newer-models.ts';
export { GPT_NAMES, type GptName, hubName, MODEL_NAMES, type ModelName, modelConfig } from './models.ts';
export {
  type BaseModel,
  baseOfLoaded,
  type GptBase,
  type NewerBase,
  obtainBase,
  obtainTextModel,
  type TextModel,
} from './obtain-base.ts';
export { MINI_WEIGHTS, type ModelSource, obtainModel, saysItsSizes } from './obtain-model.ts';
