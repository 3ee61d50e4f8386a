/**
 * Learning rate warm-up: the first steps are small. A new model's gradients point anywhere, and AdamW's running
 * means know nothing yet; a large step now can throw the weights where training does not recover from.
 */

export interface WarmupSchedule {
  /** The rate of the first step. */
  initialLr: number;
  /** The rate that is reached after `warmupSteps` steps. */
  peakLr: number;
  warmupSteps: number;
}

/** A share of all steps, rounded down: 0.1 % to 20 % is usual. */
export function warmupStepsOf(totalSteps: number, share = 0.2): number {
  return Math.floor(share * totalSteps);
}

/** The learning rate of a step, counted from 0: in equal increments from the initial rate to the peak, then the peak. */
export function warmupLearningRate(step: number, schedule: WarmupSchedule): number {
  const { initialLr, peakLr, warmupSteps } = schedule;
  if (step >= warmupSteps) return peakLr;
  const increment = (peakLr - initialLr) / warmupSteps;
  return initialLr + step * increment;
}
