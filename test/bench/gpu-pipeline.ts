import { formatTable } from '../../chapters/common/table.ts';
import type { GpuMode } from '../../lib/backend/gpu/index.ts';
import { loadGpuJs } from '../../lib/backend/gpu/node/gpujs.ts';
import { measure } from './timing.ts';

/**
 * gpu.js offers two ways to keep what lies between kernels on the device. Kernels that answer with handles
 * (`pipeline: true`) can be called in any order, and what was uploaded once stays: that is what lib/backend/gpu uses.
 * `createPipeline` traces a fixed sequence once and submits it as one; what goes in comes from the host at each call.
 * Measured on the feed-forward layer of a transformer block: Linear, GELU, Linear, with the result read.
 */
export interface PipelineRow {
  mode: GpuMode;
  tokens: number;
  /** Milliseconds with handles, the weights on the device. */
  handles: number;
  /** With createPipeline, the weights among its arguments. */
  pipeline: number;
  /** How gpu.js ran the pipeline. */
  executor: string;
}

/** GPT-2's feed-forward layer at the width of `mini`. */
const [WIDTH, HIDDEN] = [128, 512];
const TOKENS = [8, 64];

const LINEAR = `function (x, w, b, k) {
  let sum = b[this.thread.x];
  for (let i = 0; i < k; i++) sum += x[this.thread.y][i] * w[this.thread.x][i];
  return sum;
}`;
const GELU = `function (x) {
  const v = x[this.thread.y][this.thread.x];
  return 0.5 * v * (1 + Math.tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}`;
const COPY = 'function (x) { return x[this.thread.y][this.thread.x]; }';
const COPY_ROW = 'function (x) { return x[this.thread.x]; }';

// biome-ignore lint/suspicious/noExplicitAny: gpu.js's own types leave out half of what is used here
type Any = any;

async function measureMode(mode: GpuMode, tokens: number): Promise<PipelineRow> {
  const { GPU, input } = (await loadGpuJs(mode)) as Any;
  const gpu = new GPU({ mode });
  const kernel = (source: string, output: number[], pipeline: boolean) =>
    gpu.createKernel(source, { output, pipeline, immutable: pipeline, loopMaxIterations: HIDDEN + 1 });
  const feedForward = (pipeline: boolean) => ({
    up: kernel(LINEAR, [HIDDEN, tokens], pipeline),
    gelu: kernel(GELU, [HIDDEN, tokens], pipeline),
    down: kernel(LINEAR, [WIDTH, tokens], pipeline),
  });
  const numbers = (...size: number[]) => {
    const length = size.reduce((a, b) => a * b);
    const values = Float32Array.from({ length }, (_, i) => Math.sin(i) / 10);
    return input(values, size);
  };
  const x = numbers(WIDTH, tokens);
  const sizes = [[WIDTH, HIDDEN], [HIDDEN], [HIDDEN, WIDTH], [WIDTH]];
  const weights = sizes.map((size) => numbers(...size));

  const resident: Any[] = [];
  for (const [i, size] of sizes.entries()) {
    resident.push(await kernel(size.length > 1 ? COPY : COPY_ROW, size, true)(weights[i]));
  }
  const one = feedForward(true);
  const byHandles = async () => {
    const [w1, b1, w2, b2] = resident;
    const hidden = await one.up(x, w1, b1, WIDTH);
    const activated = await one.gelu(hidden);
    const out = await one.down(activated, w2, b2, HIDDEN);
    const found = out.toArray ? await out.toArray() : out;
    for (const handle of [hidden, activated, out]) handle.delete?.();
    return found;
  };

  const inner = feedForward(false);
  const plan = gpu.createPipeline((x: Any, w1: Any, b1: Any, w2: Any, b2: Any) =>
    inner.down(inner.gelu(inner.up(x, w1, b1, WIDTH)), w2, b2, HIDDEN),
  );
  const byPipeline = () => plan(x, ...weights);

  const [found, wanted] = [await byHandles(), await byPipeline()];
  if (Math.abs(found[1][3] - wanted[1][3]) > 1e-4) throw new Error('the two ways differ');
  const handles = 1000 * (await measure(byHandles));
  const pipeline = 1000 * (await measure(byPipeline));
  const executor = plan.executorKind + (plan.fallbackReason ? `: ${plan.fallbackReason}` : '');
  await gpu.destroy();
  return { mode, tokens, handles, pipeline, executor };
}

/** Both ways in each of these modes; headless-gl opens once in a process and is left out. */
export async function comparePipelines(modes: readonly GpuMode[]): Promise<PipelineRow[]> {
  const rows: PipelineRow[] = [];
  for (const mode of modes.filter((mode) => mode === 'webgpu' || mode === 'webasm')) {
    for (const tokens of TOKENS) {
      try {
        rows.push(await measureMode(mode, tokens));
      } catch (error) {
        console.log(`createPipeline in ${mode}: ${(error as Error).message.split('\n')[0]}`);
      }
    }
  }
  console.log(`\nLinear, GELU, Linear [tokens, ${WIDTH}], the result read: ms`);
  const cells = rows.map((row) => [
    row.mode,
    `${row.tokens}`,
    row.handles.toFixed(2),
    row.pipeline.toFixed(2),
    row.executor,
  ]);
  console.log(formatTable(['mode', 'tokens', 'handles', 'createPipeline', 'run as'], cells));
  return rows;
}
