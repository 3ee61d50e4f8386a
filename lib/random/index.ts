export { defaultGenerator, Generator, type GeneratorState, manualSeed } from './generator.ts';
export { Mt19937 } from './mt19937.ts';
export { samplePositions } from './pandas.ts';
export { drawBaseSeed, shuffledOrder } from './sampler.ts';
