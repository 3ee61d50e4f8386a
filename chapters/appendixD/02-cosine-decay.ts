import { type WarmupSchedule, warmupLearningRate } from './01-warmup.ts';

export interface CosineSchedule extends WarmupSchedule {
  /** The rate that the curve ends at. */
  minLr: number;
  totalSteps: number;
}

/**
 * The learning rate of a step, counted from 0: after the warm-up, half a cosine from the peak down to the minimum
 * (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5, without restarts). It falls slowly at
 * first, while there is much to learn, fast in the middle, and slowly again, to settle.
 */
export function cosineLearningRate(step: number, schedule: CosineSchedule): number {
  const { peakLr, minLr, warmupSteps, totalSteps } = schedule;
  if (step < warmupSteps) return warmupLearningRate(step, schedule);
  const progress = (step - warmupSteps) / (totalSteps - warmupSteps); // 0 … 1
  return minLr + (peakLr - minLr) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
