import { formatTable } from '../../chapters/common/table.ts';
import { activeBackends } from '../../lib/backend/dispatch.ts';
import { jsKernels } from '../../lib/backend/js/index.ts';
import { noGrad } from '../../lib/index.ts';
import { loraClassifier, randomBatch, trainingStep } from './model.ts';
import { measure, measureStep } from './timing.ts';

export interface StepResult {
  seconds: number;
  /** The same step with every position of the last block computed, as PyTorch's script does. */
  wholeSeconds: number;
  forwardSeconds: number;
  peakRssGB: number;
  threads: number;
  /** Seconds of one step by kernel, the longest first. */
  kernels: Record<string, number>;
}

/** Adds up the seconds spent in each kernel of the active engines; returns the sums and an undo. */
function watchKernels(): { seconds: Map<string, number>; stop: () => void } {
  const seconds = new Map<string, number>();
  const undo: (() => void)[] = [];
  for (const kernels of [...activeBackends().map((backend) => backend.kernels), jsKernels]) {
    const table = kernels as unknown as Record<string, (...args: unknown[]) => unknown>;
    const label = kernels === jsKernels ? ' (js)' : '';
    for (const [name, kernel] of Object.entries(table)) {
      undo.push(() => {
        table[name] = kernel;
      });
      table[name] = (...args) => {
        const start = performance.now();
        const answer = kernel(...args);
        const spent = (performance.now() - start) / 1000;
        seconds.set(name + label, (seconds.get(name + label) ?? 0) + spent);
        return answer;
      };
    }
  }
  const stop = () => {
    for (const restore of undo) restore();
  };
  return { seconds, stop };
}

/** One LoRA step of GPT-2 small as chapter 6 takes it, batch [8, 109], rank 16 on every Linear. */
export async function step(threads: number): Promise<StepResult> {
  const { model, lastOnly } = loraClassifier();
  const batch = randomBatch(8, 109);
  const forwardSeconds = await measure(() => noGrad(() => lastOnly(batch.ids, model)), 5);
  const train = trainingStep(model, lastOnly);
  const seconds = await measureStep(() => train(batch));
  const trainWhole = trainingStep(model);
  const wholeSeconds = await measureStep(() => trainWhole(batch));
  const { seconds: byKernel, stop } = watchKernels();
  train(batch);
  stop();
  const kernels = Object.fromEntries(
    [...byKernel].sort(([, a], [, b]) => b - a).map(([name, spent]) => [name, Number(spent.toFixed(4))]),
  );
  const peakRssGB = process.resourceUsage().maxRSS / 1e6;
  console.log(
    `step ${seconds.toFixed(2)} s, forward alone ${forwardSeconds.toFixed(2)} s, threads: ${threads}`,
  );
  console.log(`step with all positions of the last block ${wholeSeconds.toFixed(2)} s`);
  console.log(`peak memory of the process ${peakRssGB.toFixed(2)} GB\n`);
  const rows = Object.entries(kernels).map(([name, spent]) => [name, (1000 * spent).toFixed(1)]);
  console.log(formatTable(['kernel', 'ms of one step'], rows));
  return { seconds, wholeSeconds, forwardSeconds, peakRssGB, threads, kernels };
}
