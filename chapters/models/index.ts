export { chatToIds, type Message } from './chat-template.ts';
export type { LanguageModel } from './family.ts';
export { type LoadedModel, type LoadOptions, loadModel, type ModelSource } from './load.ts';
export { unpermuteRows } from './read.ts';
export { tensorsForHub } from './tensors.ts';
