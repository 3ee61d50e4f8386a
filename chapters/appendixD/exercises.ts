import { type WarmupSchedule, warmupLearningRate } from './01-warmup.ts';
import type { CosineSchedule } from './02-cosine-decay.ts';

/** Solutions to the exercises of this appendix's README. */

/**
 * 1. The schedule of the first transformer (Vaswani et al. 2017, equation 3): after the warm-up the rate falls with
 * the square root of the step. It needs no total, so training may go on as long as you like.
 */
export function inverseSquareRoot(step: number, schedule: WarmupSchedule): number {
  if (step < schedule.warmupSteps) return warmupLearningRate(step, schedule);
  return schedule.peakLr * Math.sqrt(schedule.warmupSteps / step);
}

/**
 * 2. A straight line down to the minimum, in place of the cosine. The share of the steps after the warm-up that
 * are done says how far down it is.
 */
export function linearDecay(step: number, schedule: CosineSchedule): number {
  const { peakLr, minLr, warmupSteps, totalSteps } = schedule;
  if (step < warmupSteps) return warmupLearningRate(step, schedule);
  return peakLr + ((minLr - peakLr) * (step - warmupSteps)) / (totalSteps - warmupSteps);
}

/** 3. The norm of G = [[1, 2], [2, 4]] is √(1 + 4 + 4 + 16) = 5: to a norm of 1 everything is divided by 5. */
export function clipByNorm(gradient: readonly number[], maxNorm: number): number[] {
  const norm = Math.hypot(...gradient);
  return gradient.map((g) => g * Math.min(1, maxNorm / norm));
}

/** 4. The other way to clip: each element by itself. Large elements lose more than small ones … */
export function clipByValue(gradient: readonly number[], limit: number): number[] {
  return gradient.map((g) => Math.max(-limit, Math.min(limit, g)));
}

/** … so the direction changes: the cosine of the angle between before and after is below 1. */
export function cosineOfAngle(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, x, i) => sum + x * b[i], 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}
