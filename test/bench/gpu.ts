import { formatTable } from '../../chapters/common/table.ts';
import { activeBackends, setBackends } from '../../lib/backend/dispatch.ts';
import { createGpuBackend, type GpuBackend } from '../../lib/backend/gpu/index.ts';
import type { Backend, Strided } from '../../lib/backend/kernels.ts';
import { Storage } from '../../lib/backend/storage.ts';
import { TESTED_MODES } from '../gpu/modes.ts';
import { loraTraining, MINI } from '../gpu/training.ts';
import { comparePipelines, type PipelineRow } from './gpu-pipeline.ts';
import { measure } from './timing.ts';

/**
 * `npm run bench -- gpu`: every mode of gpu.js that runs here, against the CPU engine. A product is measured
 * as a step of training uses it: the weight is on the device, the activations go up, the result comes back.
 */
export interface GpuBenchmark {
  rows: ProductRow[];
  steps: StepRow[];
  /** Rows of [m, 768] · [768, 768] from which on the mode is faster than the CPU engine; null for never. */
  crossover: { engine: string; rows: number | null }[];
  /** gpu.js's handles against its createPipeline. */
  pipelines: PipelineRow[];
}

interface ProductRow {
  engine: string;
  m: number;
  n: number;
  k: number;
  trans: 'NN' | 'NT' | 'TN';
  threads: number;
  /** With the activations' way there and back. */
  gflops: number;
  /** Operands and result on the device. */
  gflopsResident?: number;
}

interface StepRow {
  engine: string;
  batch: number;
  tokens: number;
  seconds: number;
  bytesUp?: number;
  bytesDown?: number;
  waits?: number;
  launches?: number;
}

const SHAPES = [
  { n: 768, k: 768 },
  { n: 3072, k: 768 },
  { n: 768, k: 3072 },
] as const;
const TRANS = ['NN', 'NT', 'TN'] as const;
/** A software driver needs minutes for the first: fewer rows give the same rate. */
const ROWS = [872, 436, 218, 109, 54, 12];
const BATCHES = [
  { batch: 8, tokens: 109 },
  { batch: 2, tokens: 32 },
];
const LONGEST_SECONDS = 1;
/** Of a step of [8, 109] in matrix products. */
const GFLOP_PER_STEP = 4.3;

export async function gpu(): Promise<GpuBenchmark> {
  const cpu = activeBackends()[0] as Backend & { threads?: number };
  const threads = cpu.threads ?? 1;
  const result: GpuBenchmark = { rows: [], steps: [], crossover: [], pipelines: [] };
  await measureStep(cpu.name, BATCHES[0], undefined, result);
  await measureStep(cpu.name, BATCHES[1], undefined, result);
  for (const mode of TESTED_MODES) {
    const backend = await createGpuBackend({ mode, smallestProduct: 0 });
    if ('unavailable' in backend) {
      console.log(`left out: gpu-${mode}: ${backend.unavailable}`);
      continue;
    }
    const engine = `gpu-${mode}`;
    console.log(`${engine}: ${backend.device}`);
    const rate = await measureProducts(engine, backend, result);
    result.crossover.push({ engine, rows: await crossover(backend, cpu) });
    setBackends([backend, cpu]);
    const batch = GFLOP_PER_STEP / rate < 4 * LONGEST_SECONDS ? BATCHES[0] : BATCHES[1];
    await measureStep(engine, batch, backend, result);
    setBackends([cpu]);
  }
  for (const { n, k } of SHAPES) {
    for (const trans of TRANS) {
      const job = product(cpu, ROWS[0], n, k, trans, () => {});
      const gflops = rateOf(ROWS[0], n, k, await measure(job));
      result.rows.push({ engine: cpu.name, m: ROWS[0], n, k, trans, threads, gflops });
    }
  }
  print(result);
  result.pipelines = await comparePipelines(TESTED_MODES);
  return result;
}

const rateOf = (m: number, n: number, k: number, seconds: number) => (2e-9 * m * n * k) / seconds;

function matrix(rows: number, columns: number, transposed: boolean): Strided {
  const numbers = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
  const strides = transposed ? [1, rows] : [columns, 1];
  return { storage: Storage.of(numbers), shape: [rows, columns], strides, offset: 0 };
}

/** A job that multiplies; `fresh` stands for what a step does before: new numbers in the activations. */
function product(
  { kernels }: Backend,
  m: number,
  n: number,
  k: number,
  trans: string,
  wait: (result: Storage) => void,
  fresh = false,
): () => void {
  const x = matrix(m, k, trans[0] === 'T');
  const weight = matrix(k, n, trans[1] === 'T');
  return () => {
    if (fresh) void x.storage.writable;
    wait(kernels.matmul!(x, weight)!);
  };
}

/** Fills in the rows of one mode, and answers its rate for the first shape. */
async function measureProducts(engine: string, backend: GpuBackend, result: GpuBenchmark): Promise<number> {
  const guess = product(backend, 12, 768, 768, 'NN', () => backend.synchronise());
  const estimate = rateOf(12, 768, 768, await measure(guess, 3));
  let first = 0;
  for (const { n, k } of SHAPES) {
    const m = ROWS.find((rows) => (2e-9 * rows * n * k) / estimate < LONGEST_SECONDS) ?? ROWS.at(-1)!;
    for (const trans of TRANS) {
      const withTransfers = product(backend, m, n, k, trans, (out) => void out.data, true);
      const resident = product(backend, m, n, k, trans, () => backend.synchronise());
      const gflops = rateOf(m, n, k, await measure(withTransfers, 5));
      const gflopsResident = rateOf(m, n, k, await measure(resident, 5));
      result.rows.push({ engine, m, n, k, trans, threads: 1, gflops, gflopsResident });
      first ||= gflopsResident;
    }
  }
  return first;
}

async function crossover(gpu: GpuBackend, cpu: Backend): Promise<number | null> {
  for (let rows = 1; rows <= 4096; rows *= 4) {
    const onGpu = await measure(
      product(gpu, rows, 768, 768, 'NT', (out) => void out.data, true),
      3,
    );
    const onCpu = await measure(
      product(cpu, rows, 768, 768, 'NT', () => {}),
      3,
    );
    if (onGpu < onCpu) return rows;
    // Ten times slower at this size and getting no better: it will not catch up.
    if (rows >= 64 && onGpu > 10 * onCpu) return null;
  }
  return null;
}

async function measureStep(
  engine: string,
  { batch, tokens }: { batch: number; tokens: number },
  gpu: GpuBackend | undefined,
  result: GpuBenchmark,
): Promise<void> {
  const { step } = loraTraining(MINI, batch, tokens);
  const seconds = await measure(step, 5);
  const before = gpu && { ...gpu.traffic };
  step();
  const row: StepRow = { engine, batch, tokens, seconds };
  if (gpu && before) {
    const { bytesUp, bytesDown, waits, launches } = gpu.traffic;
    row.bytesUp = bytesUp - before.bytesUp;
    row.bytesDown = bytesDown - before.bytesDown;
    row.waits = waits - before.waits;
    row.launches = launches - before.launches;
  }
  result.steps.push(row);
}

function print({ rows, steps, crossover }: GpuBenchmark): void {
  const rate = (gflops?: number) => (gflops === undefined ? '' : gflops.toPrecision(3));
  const productRows = rows.map(({ engine, m, n, k, trans, gflops, gflopsResident }) => [
    engine,
    `${m} × ${k} × ${n}`,
    trans,
    rate(gflops),
    rate(gflopsResident),
  ]);
  console.log(formatTable(['engine', 'm × k × n', 'layout', 'GFLOP/s', 'resident'], productRows));
  const stepRows = steps.map((row) => [
    row.engine,
    `[${row.batch}, ${row.tokens}]`,
    (1000 * row.seconds).toFixed(0),
    ...[row.bytesUp, row.bytesDown, row.waits, row.launches].map((count) => String(count ?? '')),
  ]);
  console.log('\nA LoRA step of mini (4 layers of 128 dimensions, rank 16)');
  console.log(
    formatTable(['engine', 'batch', 'ms', 'bytes up', 'bytes down', 'waits', 'launches'], stepRows),
  );
  for (const { engine, rows } of crossover) {
    const from = rows === null ? 'never' : `from ${rows} rows on`;
    console.log(`${engine} beats the CPU engine at [rows, 768] · [768, 768]: ${from}`);
  }
}
