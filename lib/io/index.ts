export {
  type AdapterFiles,
  adapterFiles,
  loadAdapter,
  loadAdapterFiles,
  readAdapterConfig,
  type SaveAdapterOptions,
  saveAdapter,
} from './adapter.ts';
export { lazyTensors, loadTensors, type SaveOptions, saveTensors, withTensors } from './checkpoint.ts';
export * from './files.ts';
export {
  type FileContent,
  type Folder,
  folderOfContents,
  folderOnDisk,
  nameIn,
  openContent,
  readJsonIn,
  readTextIn,
} from './folder.ts';
export type { GgufFile, GgufTensor, GgufValue } from './gguf.ts';
export { withGguf, withOpenedGguf } from './gguf-file.ts';
export { canStayQuantised, quantisedTensor } from './gguf-quantised.ts';
export { readJson } from './json.ts';
export type { PeftConfig } from './peft/config.ts';
export type { HubHead, HubLayout, HubLinear, HubModel, HubModule, HubNorm } from './peft/layout.ts';
export { openSafetensors, openWeightsIn } from './safetensors-file.ts';
export type { WriteOptions } from './safetensors-write.ts';
export { TextList } from './text-list.ts';
export {
  type Checkpoint,
  findCheckpoint,
  readAboutCheckpoint,
  type Trained,
  writeCheckpoint,
} from './training-checkpoint.ts';
