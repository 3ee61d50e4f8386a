import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import { activeBackends, setBackends } from './dispatch.ts';
import { chooseFastest } from './gpu/choose.node.ts';
import { createGpuBackend, type GpuMode } from './gpu/index.ts';
import { createCollector } from './wasm/collect.node.ts';
import { createWasmBackend, type WasmBackend } from './wasm/index.ts';

export type BackendName = 'auto' | 'wasm' | 'gpu' | 'js';

export interface BackendOptions {
  /** Threads of the CPU engine; all cores unless told otherwise. */
  threads?: number;
  gpuMode?: string;
}

/** What was chosen, and why: shown to the user. */
export interface BackendChoice {
  name: Exclude<BackendName, 'auto'>;
  mode?: string;
  threads?: number;
  why: string;
}

/** The CPU engine with that many threads, or the reason why there is none. */
function cpuEngine(threads = availableParallelism()): WasmBackend | string {
  const active = activeBackends().find((backend) => backend.name === 'wasm') as WasmBackend | undefined;
  if (active?.threads === threads) return active;
  try {
    return createWasmBackend({ threads });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function chooseCpu(threads: number | undefined, why: string): BackendChoice {
  const engine = cpuEngine(threads);
  if (typeof engine === 'string') {
    setBackends([]);
    return { name: 'js', why: `no CPU engine: ${engine}` };
  }
  setBackends([engine]);
  return { name: 'wasm', threads: engine.threads, why };
}

async function chooseGpu(options: BackendOptions): Promise<BackendChoice> {
  const gpu = await createGpuBackend({ mode: options.gpuMode as GpuMode, collectGarbage: createCollector() });
  if ('unavailable' in gpu) {
    throw new UserError(`no GPU can be used: ${gpu.unavailable}; use --backend auto to run on the CPU`);
  }
  const cpu = cpuEngine(options.threads);
  setBackends(typeof cpu === 'string' ? [gpu] : [gpu, cpu]);
  return { name: 'gpu', mode: gpu.mode, why: `asked for: ${gpu.device}` };
}

/** The GPU if it is faster than the CPU engine, which stays behind it; both figures are in `why`. */
async function chooseAuto({ threads, gpuMode }: BackendOptions): Promise<BackendChoice> {
  const cpu = cpuEngine(threads);
  if (typeof cpu === 'string') return chooseCpu(threads, cpu);
  const { gpu, why } = await chooseFastest(cpu, {
    mode: gpuMode as GpuMode,
    collectGarbage: createCollector(),
  });
  setBackends(gpu ? [gpu, cpu] : [cpu]);
  if (gpu) return { name: 'gpu', mode: gpu.mode, why };
  return { name: 'wasm', threads: cpu.threads, why };
}

/**
 * Chooses the engine that runs every operation from now on: `wasm` is the CPU engine, `gpu` gpu.js with the CPU
 * engine behind it, `js` the readable loops, and `auto` the fastest that is there.
 * @throws UserError if a GPU is asked for and there is none. A missing CPU engine is no error: `js` does the work.
 */
export async function useBackend(
  name: BackendName = 'auto',
  options: BackendOptions = {},
): Promise<BackendChoice> {
  if (name === 'js') {
    setBackends([]);
    return { name: 'js', why: 'asked for' };
  }
  if (name === 'gpu') return chooseGpu(options);
  return name === 'auto' ? chooseAuto(options) : chooseCpu(options.threads, 'asked for');
}

// Importing the library gives a working default at once.
chooseCpu(undefined, 'the default');
