export {
  type AdapterFiles,
  adapterFiles,
  loadAdapter,
  loadAdapterFiles,
  readAdapterConfig,
  type SaveAdapterOptions,
  saveAdapter,
} from './adapter.ts';
export { loadTensors, saveTensors, withTensors } from './checkpoint.ts';
export type { PeftConfig } from './peft/config.ts';
export type { HubHead, HubLayout, HubLinear, HubModel, HubModule, HubNorm } from './peft/layout.ts';
export type { WriteOptions } from './safetensors-write.ts';
