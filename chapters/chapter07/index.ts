export {
  formatExample,
  formatInput,
  formatResponse,
  type InstructionParts,
  splitEntries,
} from './02-preparing-the-dataset.ts';
export {
  AnswerDataset,
  type CollateOptions,
  collateAnswers,
  customCollate,
  customCollateDraft1,
  customCollateDraft2,
  IGNORE_INDEX,
  InstructionDataset,
} from './03-batches.ts';
export { type InstructionLoaders, makeAnswerLoaders, makeInstructionLoaders } from './04-data-loaders.ts';
export { extractResponse, respond } from './05-pretrained-model.ts';
export {
  fineTuneOnInstructions,
  type InstructionMethod,
  instructionTraining,
  prepareModel,
} from './06-fine-tuning.ts';
export { type AnsweredEntry, saveResponses } from './07-responses.ts';
