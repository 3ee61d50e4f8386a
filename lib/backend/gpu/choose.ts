import { describeMachine, readFigures, writeFigures } from '#gpu/figures';
import type { Backend, DecliningKernels, Strided } from '../kernels.ts';
import { Storage } from '../storage.ts';
import { createGpuBackend, type GpuBackend, type GpuOptions } from './index.ts';
import { DeviceLostError } from './lost.ts';

/**
 * GPU or CPU? Both multiply matrices of GPT-2's size for a moment, and the faster one is taken. There is no other way
 * to know: the same library is a hundred times faster or slower than the CPU, from one driver to the next.
 */
export interface Choice {
  /** The GPU, opened, if it is the faster one. */
  readonly gpu?: GpuBackend;
  /** Both figures and the choice, or the reason why there is no GPU, in one line. */
  readonly why: string;
  /** GFLOP/s, where measured. */
  readonly figures?: Figures;
}

export interface Figures {
  readonly gpu: number;
  readonly cpu: number;
  /** Milliseconds for a small product on the GPU whose operands and result are on the host. */
  readonly roundTrip: number;
}

/** The GPU has to be faster by this much: the rest of a step gains less from it than the products. */
const ADVANTAGE = 1.2;
/** [m, 768] · [768, 768]: m grows until a product takes long enough to be timed. */
const WIDTH = 768;
const ROWS = [8, 64, 256, 872];
const LONG_ENOUGH_MS = 30;
const BUDGET_MS = 350;

/** The GPU in the first mode that works, if it is faster than this CPU backend. */
export async function chooseFastest(
  cpu: Backend & { threads?: number },
  options: GpuOptions = {},
): Promise<Choice> {
  const gpu = await createGpuBackend(options);
  if ('unavailable' in gpu) return { why: `no GPU: ${gpu.unavailable}` };
  const key = `${gpu.mode}; ${gpu.device}; ${cpu.name} on ${cpu.threads ?? 1} threads; ${describeMachine()}`;
  const known = readFigures(key);
  let figures: Figures;
  try {
    figures = known ?? measure(gpu, cpu);
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    gpu.close();
    return { why: error.message };
  }
  if (!known) writeFigures(key, figures);
  const [ofGpu, ofCpu] = [figures.gpu, figures.cpu].map((rate) => `${rate.toPrecision(3)} GFLOP/s`);
  const why = `${known ? 'measured before' : 'measured'}: ${gpu.mode} (${gpu.device}) ${ofGpu}, ${cpu.name} ${ofCpu}`;
  if (figures.gpu < ADVANTAGE * figures.cpu) {
    gpu.close();
    return { why, figures };
  }
  // The CPU multiplies so much in the time that the GPU takes to answer at all.
  const multiplyAdds = figures.roundTrip * 1e-3 * figures.cpu * 0.5e9;
  gpu.smallestProduct = Math.min(2 ** 24, Math.max(2 ** 18, multiplyAdds));
  return { gpu, why, figures };
}

function measure(gpu: GpuBackend, cpu: Backend): Figures {
  const threshold = gpu.smallestProduct;
  gpu.smallestProduct = 0;
  const figures = {
    gpu: rateOf(gpu.kernels, () => gpu.synchronise()),
    cpu: rateOf(cpu.kernels, () => {}),
    roundTrip: shortest(() => void gpu.kernels.matmul!(matrix(8, WIDTH), matrix(WIDTH, WIDTH))!.data),
  };
  gpu.smallestProduct = threshold;
  return figures;
}

/** GFLOP/s of a product whose operands are where the backend wants them. */
function rateOf(kernels: DecliningKernels, wait: () => void): number {
  const weight = matrix(WIDTH, WIDTH);
  const begin = performance.now();
  let rate = 0;
  for (const rows of ROWS) {
    const x = matrix(rows, WIDTH);
    const run = () => {
      kernels.matmul!(x, weight);
      wait();
    };
    run();
    const milliseconds = shortest(run);
    rate = (2e-6 * rows * WIDTH * WIDTH) / milliseconds;
    const soFar = performance.now() - begin;
    // The next size takes about four times as long, three times over.
    if (milliseconds > LONG_ENOUGH_MS || soFar + 12 * milliseconds > BUDGET_MS) break;
  }
  return rate;
}

/** Milliseconds of the quickest of a few calls. */
function shortest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
    if (best > LONG_ENOUGH_MS) break;
  }
  return best;
}

function matrix(rows: number, columns: number): Strided {
  const numbers = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
  return { storage: Storage.of(numbers), shape: [rows, columns], strides: [columns, 1], offset: 0 };
}
