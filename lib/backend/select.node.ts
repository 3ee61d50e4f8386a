import { availableParallelism } from 'node:os';
import { UserError } from '../errors.ts';
import { activeBackends, setBackends } from './dispatch.ts';
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
  return chooseCpu(options.threads, name === 'wasm' ? 'asked for' : 'the CPU engine');
}

// Importing the library gives a working default at once.
chooseCpu(undefined, 'the default');
