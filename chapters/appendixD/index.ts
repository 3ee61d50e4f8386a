export { type WarmupSchedule, warmupLearningRate, warmupStepsOf } from './01-warmup.ts';
export { type CosineSchedule, cosineLearningRate } from './02-cosine-decay.ts';
export { clipGradients, findHighestGradient } from './03-clipping.ts';
export { type TrainingHistory, type TrainingOptions, trainModel, trainModelSteps } from './04-training.ts';
