export { GELU, SiLU } from './activations.ts';
export {
  type LoRAOptions,
  mergeLoRA,
  removeAdapter,
  replaceLinearWithLoRA,
  setAdapter,
  unmergeLoRA,
} from './adapters.ts';
export * as init from './init.ts';
export { Dropout, Embedding, LayerNorm, Linear, ModuleList, ReLU, Sequential } from './layers.ts';
export { LinearWithLoRA, LoRALayer, type LoRALayerOptions } from './lora.ts';
export { Module } from './module.ts';
export { Buffer, Parameter } from './parameter.ts';
export { RMSNorm } from './rmsNorm.ts';
