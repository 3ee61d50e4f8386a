import { noGrad, randn, tidy, useBackend } from '../../lib/index.ts';
import { loraTraining, MINI } from '../gpu/training.ts';
import { limitOf } from './limit.ts';
import { loraClassifier, randomBatch, trainingStep } from './model.ts';
import { measureStep, median } from './timing.ts';

/** One row of a table by Node and by width of the vectors: the process measures itself. */
export interface RuntimeResult {
  vectors: 128 | 256;
  threads: number;
  /** The most that multiply-adds reach in one thread, and a product of GPT-2 in one thread and in all, in GFLOP/s. */
  limit: number;
  product: number;
  productThreads: number;
  /** Milliseconds of a LoRA step of `mini`, [8, 109], rank 16. */
  miniMilliseconds: number;
}

const [M, N, K] = [872, 3072, 768];
const MILLISECONDS = 2000;

/** The quickest call, in GFLOP/s. */
function productRate(): number {
  const [a, b] = [randn(M, K), randn(N, K).t()];
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + MILLISECONDS;
  while (performance.now() < end) {
    const start = performance.now();
    tidy(() => void noGrad(() => a.matmul(b)));
    best = Math.min(best, performance.now() - start);
  }
  return (2e-6 * M * N * K) / best;
}

export async function runtime(threads: number): Promise<RuntimeResult> {
  const { step } = loraTraining(MINI, 8, 109);
  for (let i = 0; i < 10; i++) step();
  const miniMilliseconds = 1000 * (await measureStep(step));
  const productThreads = productRate();
  const { vectors = 128 } = await useBackend('wasm', { threads: 1 });
  const product = productRate();
  const limit = await limitOf(vectors);
  const figures = { vectors, threads, limit, product, productThreads, miniMilliseconds };
  console.log(JSON.stringify(figures));
  return figures;
}

export interface WholeStepResult {
  seconds: number;
  peakGB: number;
}

/** GPT-2's LoRA step with every position, as torch_step.py measures it. */
export function wholeStep(): WholeStepResult {
  const train = trainingStep(loraClassifier().model);
  const batch = randomBatch(8, 109);
  const seconds: number[] = [];
  for (let i = 0; i < 6; i++) {
    const start = performance.now();
    train(batch);
    if (i >= 2) seconds.push((performance.now() - start) / 1000); // the weights are packed in the first two
  }
  const figures = { seconds: median(seconds), peakGB: process.resourceUsage().maxRSS / 1e6 };
  console.log(JSON.stringify(figures));
  return figures;
}
