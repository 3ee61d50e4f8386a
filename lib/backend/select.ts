import { vectorsInEnvironment } from '#platform/lib/backend/wasm/vectors';
import { checkOptions } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { activeBackends, setBackends } from './dispatch.ts';
import { chooseFastest } from './gpu/choose.ts';
import { createGpuBackend, GPU_MODES, type GpuMode } from './gpu/index.ts';
import { createWasmBackend, VECTORS, type Vectors, type WasmBackend } from './wasm/index.ts';

/** The engines that can be asked for. */
export const BACKENDS = ['auto', 'wasm', 'gpu', 'js'] as const;
/** One of them, by name. */
export type BackendName = (typeof BACKENDS)[number];

/** How an engine is set up. */
export interface BackendOptions {
  /** Threads of the CPU engine; all cores unless told otherwise, and one in a page that may not share memory. */
  threads?: number;
  /**
   * Bits of the CPU engine's vectors: 256 where that is tested and faster, else 128, unless told otherwise here or, by
   * `LLMS_VECTORS`, in the environment. The results are the same.
   */
  vectors?: 128 | 256;
  /** A mode of gpu.js: `webgpu`, `headlessgl`, `webgl2`, `webasm` or `cpu`. */
  gpuMode?: string;
}

/** What was chosen, and why: shown to the user. */
export interface BackendChoice {
  /** The engine in use from now on. */
  name: Exclude<BackendName, 'auto'>;
  /** The mode of gpu.js, where that is the engine. */
  mode?: string;
  /** Threads of the CPU engine. */
  threads?: number;
  /** Bits of the CPU engine's vectors. */
  vectors?: 128 | 256;
  /** How they could be wider, if that is worth saying: `Node 24 or later: 256`. */
  vectorsNote?: string;
  /** Why this one, in words: `as asked for`, or what spoke against the others. */
  why: string;
}

/** More than any machine that this is meant for; each thread has its own memory. */
const MOST_THREADS = 256;

/** The engine that computes now. */
export function activeEngine(): BackendChoice['name'] {
  return activeBackends()[0].name as BackendChoice['name'];
}

function activeCpuEngine(): WasmBackend | undefined {
  return activeBackends().find((backend) => backend.name === 'wasm') as WasmBackend | undefined;
}

type CpuOptions = Pick<BackendOptions, 'threads' | 'vectors'>;

/** The CPU engine as it is asked for, or the reason why there is none. @throws UserError if its vectors cannot be had */
function cpuEngine({ threads, vectors = vectorsAskedFor() }: CpuOptions): WasmBackend | string {
  try {
    return createWasmBackend({ threads, vectors });
  } catch (error) {
    if (vectors === 256 && error instanceof UserError) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Those that the environment asks for. */
function vectorsAskedFor(): Vectors | undefined {
  const asked = vectorsInEnvironment();
  if (asked === undefined) return undefined;
  const vectors = VECTORS.find((bits) => String(bits) === asked);
  if (vectors === undefined) throw new UserError(`LLMS_VECTORS is '${asked}': expected 128 or 256`);
  return vectors;
}

/** What a choice says about the CPU engine. */
const aboutCpu = ({ threads, vectors, vectorsNote }: WasmBackend) => ({
  ...{ name: 'wasm' as const, threads, vectors },
  ...(vectorsNote ? { vectorsNote } : {}),
});

function chooseCpu(engine: WasmBackend | string, why: string): BackendChoice {
  if (typeof engine === 'string') {
    setBackends([]);
    return { name: 'js', why: `no CPU engine: ${engine}` };
  }
  setBackends([engine]);
  return { ...aboutCpu(engine), why };
}

async function chooseGpu(options: BackendOptions): Promise<BackendChoice> {
  const gpu = await createGpuBackend({ mode: options.gpuMode as GpuMode });
  if ('unavailable' in gpu) {
    throw new UserError(`no GPU can be used: ${gpu.unavailable}; ask for 'auto' to run on the CPU`);
  }
  const cpu = cpuEngine(options);
  setBackends(typeof cpu === 'string' ? [gpu] : [gpu, cpu]);
  return { name: 'gpu', mode: gpu.mode, why: `asked for: ${gpu.device}` };
}

/** The GPU if it is faster than the CPU engine, which stays behind it; both figures are in `why`. */
async function chooseAuto({ threads, vectors, gpuMode }: BackendOptions): Promise<BackendChoice> {
  const cpu = cpuEngine({ threads, vectors });
  if (typeof cpu === 'string') return chooseCpu(cpu, cpu);
  const { gpu, why } = await chooseFastest(cpu, { mode: gpuMode as GpuMode });
  setBackends(gpu ? [gpu, cpu] : [cpu]);
  if (gpu) return { name: 'gpu', mode: gpu.mode, why };
  return { ...aboutCpu(cpu), why };
}

/**
 * Chooses the engine that runs every operation from now on: `wasm` is the CPU engine, `gpu` gpu.js with the CPU
 * engine behind it, `js` the readable loops, and `auto` the fastest that is there. Await it before the first
 * operation: a browser's threads and any GPU start only then.
 * @throws UserError if there is no engine of that name, or it is asked for by name and is not available
 */
export async function useBackend(
  name: BackendName = 'auto',
  options: BackendOptions = {},
): Promise<BackendChoice> {
  checkOptions('useBackend', options, ['threads', 'vectors', 'gpuMode']);
  checkChoice('engine', name, BACKENDS);
  if (options.gpuMode !== undefined) checkChoice('GPU mode', options.gpuMode, GPU_MODES);
  checkThreads(options.threads);
  checkVectors(options.vectors);
  const choice = await choose(name, options);
  await activeCpuEngine()?.start();
  return choice;
}

async function choose(name: BackendName, options: BackendOptions): Promise<BackendChoice> {
  switch (name) {
    case 'js':
      setBackends([]);
      return { name: 'js', why: 'asked for' };
    case 'gpu':
      return chooseGpu(options);
    case 'wasm': {
      const engine = cpuEngine(options);
      if (typeof engine === 'string') throw new UserError(`no CPU engine can be used: ${engine}`);
      return chooseCpu(engine, 'asked for');
    }
    default:
      return chooseAuto(options);
  }
}

function checkChoice(what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name))
    throw new UserError(`there is no ${what} '${name}': expected one of ${known.join(', ')}`);
}

function checkThreads(threads: number | undefined): void {
  if (threads !== undefined && threads > 1 && !('SharedArrayBuffer' in globalThis)) {
    throw new UserError(
      `${threads} threads need a page that is isolated from other origins; leave threads out for one`,
    );
  }
  if (threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) return;
  throw new UserError(`threads must be a whole number from 1 to ${MOST_THREADS}, not ${threads}`);
}

function checkVectors(vectors: unknown): void {
  if (vectors === undefined || VECTORS.some((bits) => bits === vectors)) return;
  throw new UserError(`vectors must be 128 or 256 bits wide, not ${vectors}`);
}

/**
 * Importing the library gives a working default at once. If the environment asks for vectors that cannot be had, the refusal
 * comes with `useBackend`, or else with the first operation: an import that fails is told to the user as a fault of the program.
 */
function chooseDefault(): void {
  try {
    chooseCpu(cpuEngine({}), 'the default');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const refuse = () => {
      throw error;
    };
    setBackends([{ name: 'none', kernels: new Proxy({}, { get: () => refuse }) }]);
  }
}

chooseDefault();
