export { formatExample, formatInput, formatResponse } from './01-formatting.ts';
export { InstructionDataset, type InstructionParts, splitEntries } from './02-dataset.ts';
export {
  type CollateOptions,
  customCollate,
  customCollateDraft1,
  customCollateDraft2,
  IGNORE_INDEX,
} from './03-collate.ts';
export { type InstructionLoaders, makeInstructionLoaders } from './04-loaders.ts';
export {
  fineTuneOnInstructions,
  type InstructionMethod,
  instructionTraining,
  prepareModel,
} from './05-fine-tuning.ts';
export {
  type AnsweredEntry,
  extractResponse,
  NextTokenModel,
  respond,
  saveResponses,
} from './06-responses.ts';
