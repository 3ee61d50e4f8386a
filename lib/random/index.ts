export { defaultGenerator, Generator, type GeneratorState, manualSeed } from './generator.ts';
export { samplePositions } from './pandas.ts';
export { drawBaseSeed, shuffledOrder } from './sampler.ts';
