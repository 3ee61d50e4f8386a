export { AdamW, type AdamWOptions } from './adamW.ts';
export { clipGradNorm } from './clipGradNorm.ts';
export { Optimizer } from './optimizer.ts';
export { SGD, type SGDOptions } from './sgd.ts';
