export { isGradEnabled, noGrad } from './autograd.ts';
export * from './create.ts';
export { setPrintOptions } from './format.ts';
export { where } from './ops/elementwise.ts';
export { cat, multinomial, stack } from './ops/indexing.ts';
export { Tensor } from './tensor.ts';
