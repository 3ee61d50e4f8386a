import type { CosineSchedule } from '../../../chapters/appendixD/index.ts';

/** The notebook's: 15 epochs of 9 batches, a fifth of them to warm up in. */
export const SCHEDULE: CosineSchedule = {
  initialLr: 1e-4,
  peakLr: 1e-2,
  minLr: 1e-5,
  warmupSteps: 27,
  totalSteps: 135,
};
