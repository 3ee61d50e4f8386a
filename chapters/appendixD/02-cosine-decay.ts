import { join } from 'node:path';
import type { Tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { dryRun, plotRates, type ShownWarmup, type WarmupSchedule, warmupLearningRate } from './01-warmup.ts';
import type { ScheduleRunOptions } from './options.ts';

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

/** The rate over all steps, plotted, and at four of them in digits. Returns the last batch, [2, 256] twice. */
export async function showCosineDecay(
  nb: Notebook,
  { loaders, totalSteps, warmup }: ShownWarmup,
  { epochs, out }: Pick<ScheduleRunOptions, 'epochs' | 'out'>,
): Promise<[Tensor, Tensor]> {
  const { warmupSteps } = warmup;
  const cosine = { ...warmup, minLr: 0.1 * warmup.initialLr, totalSteps };
  const { rates, last } = dryRun(loaders.train, epochs, (step) => cosineLearningRate(step, cosine));
  const path = join(out, 'appendixD', '2-cosine.svg');
  await plotRates(path, 'Warm-up and cosine decay', rates);
  const shown = [0, warmupSteps, Math.floor((warmupSteps + totalSteps) / 2), totalSteps - 1];
  nb.note(shown.map((step) => `step ${step}: ${rates[step].toExponential(2)}`).join(' · '));
  nb.note(`Plot: ${path}`);
  return last;
}
