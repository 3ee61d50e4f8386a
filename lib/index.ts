export { type BackendChoice, useBackend } from './backend/select.node.ts';
export { DataLoader, type DataLoaderOptions } from './data/dataLoader.ts';
export { Dataset } from './data/dataset.ts';
export { UserError } from './errors.ts';
export * as F from './nn/functional.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export { manualSeed } from './random/index.ts';
export * from './tensor/index.ts';
