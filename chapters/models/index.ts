export { chatToIds, type Message } from './chat-template.ts';
export { isGpt, type LanguageModel } from './family.ts';
export {
  describeHubModel,
  HUB_MODELS,
  type HubModel,
  type HubModelName,
  isNewerModel,
  NEWER_MODELS,
  type NewerModelName,
} from './hub-models.ts';
export { type LoadedModel, type LoadOptions, loadModel, type ModelSource } from './load.ts';
export { unpermuteRows } from './read.ts';
export { tensorsForHub } from './tensors.ts';
