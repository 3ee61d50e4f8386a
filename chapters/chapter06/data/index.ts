export { type Collection, obtainMessages, STAND_IN } from './obtain.ts';
export {
  DEFAULT_FOLDER,
  type LabelledTexts,
  type PreparedPart,
  type PreparedSplits,
  type PrepareOptions,
  prepareSplits,
  readLabelledTexts,
} from './prepare.ts';
export { type Label, type Message, parseSms } from './sms.ts';
export { createBalancedDataset, DEFAULT_SEED, randomSplit, type Split } from './split.ts';
