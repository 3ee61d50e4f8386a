export { checkOptions, firstFew } from './arguments.ts';
export { memoryUse } from './backend/dispatch.ts';
export { gpuTraffic, type Traffic } from './backend/gpu/index.ts';
export { DeviceLostError } from './backend/gpu/lost.ts';
export type { MemoryUse } from './backend/kernels.ts';
export {
  activeEngine,
  type BackendChoice,
  type BackendName,
  type BackendOptions,
  useBackend,
} from './backend/select.ts';
export type { DType } from './backend/storage.ts';
export { yieldToRuntime } from './backend/yieldToRuntime.ts';
export { DataLoader, type DataLoaderOptions } from './data/dataLoader.ts';
export { Dataset } from './data/dataset.ts';
export { UserError } from './errors.ts';
export * as io from './io/index.ts';
export * as F from './nn/functional.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export * as random from './random/index.ts';
export { type Generator, type GeneratorState, manualSeed } from './random/index.ts';
export * from './tensor/index.ts';
