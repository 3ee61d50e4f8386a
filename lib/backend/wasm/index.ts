import { createCollector } from '#platform/lib/backend/collect';
import { loadKernels, narrowVariant } from '#platform/lib/backend/wasm/load';
import { availableThreads, startThread } from '#platform/lib/backend/wasm/threads';
import { joining } from '#platform/lib/backend/wasm/vectors';
import { UserError } from '../../errors.ts';
import type { Backend, DecliningKernels, Kernels } from '../kernels.ts';
import { Declined, Engine, type WasmExports } from './engine.ts';
import { addInto, contiguous, copyInto } from './kernels/copy.ts';
import { binary, cast, geluBackward, rotary, siluBackward, unary, where } from './kernels/elementwise.ts';
import { matmul, matmulInto } from './kernels/matmul.ts';
import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from './kernels/norms.ts';
import {
  causalSoftmax,
  causalSoftmaxBackward,
  crossEntropy,
  crossEntropyBackward,
  logSoftmax,
  logSoftmaxBackward,
  reduce,
  softmax,
  softmaxBackward,
} from './kernels/rows.ts';
import { adamW, embedding, embeddingBackwardInto } from './kernels/training.ts';
import { Heap } from './memory/heap.ts';
import { TensorMemory } from './memory/tensorMemory.ts';
import { HEAP, type KernelVariant } from './protocol.ts';
import { failingKernel } from './selfTest.ts';
import { joinedIsFaster } from './speed.ts';

/** Bits of a vector. */
export const VECTORS = [128, 256] as const;
export type Vectors = (typeof VECTORS)[number];

export interface WasmBackend extends Backend {
  readonly threads: number;
  /** Bits of its vectors. */
  readonly vectors: Vectors;
  /** How there could be wider ones, in a few words, if that is worth saying. */
  readonly vectorsNote?: string;
  /** Does the runtime have fused multiply-adds (relaxed SIMD)? */
  readonly relaxed: boolean;
  readonly memory: TensorMemory;
  /**
   * Starts the threads, which otherwise start with the first job that they can help with. In a browser they start
   * only once this is awaited.
   */
  start(): Promise<void>;
}

type WithEngine<F> = F extends (...args: infer A) => infer R ? (engine: Engine, ...args: A) => R : never;
type AnyKernel = (engine: Engine, ...args: unknown[]) => unknown;

/**
 * What this backend does itself. `undefined` leaves a kernel to the next backend, like a kernel that declines a
 * case.
 */
const KERNELS = {
  ...{ matmul, matmulInto },
  ...{ unary, binary, geluBackward, siluBackward, where, cast },
  ...{ contiguous, copyInto, addInto },
  ...{ softmax, softmaxBackward, causalSoftmax, causalSoftmaxBackward, logSoftmax, logSoftmaxBackward },
  ...{ layerNorm, layerNormBackward, rmsNorm, rmsNormBackward, rotary },
  ...{ crossEntropy, crossEntropyBackward, reduce },
  ...{ embedding, embeddingBackwardInto, adamW },
  ...{ argReduce: undefined, gather: undefined, scatterAddInto: undefined, scatterInto: undefined },
  ...{ cumsum: undefined },
} satisfies { [K in keyof Kernels]: WithEngine<NonNullable<DecliningKernels[K]>> | undefined };

/** A kernel that answers `undefined` when the memory is full, and gives back what it borrowed in any case. */
function guarded<Args extends unknown[], Result>(
  engine: Engine,
  threads: number,
  kernel: (engine: Engine, ...args: Args) => Result | undefined,
): (...args: Args) => Result | undefined {
  return (...args) => {
    engine.threads = threads;
    engine.operands = args;
    try {
      return kernel(engine, ...args);
    } catch (error) {
      if (error instanceof Declined) return undefined;
      throw error;
    } finally {
      engine.finish();
    }
  };
}

/** What a memory may grow to, in pages of 64 KiB: 4 GiB, or less where a browser, on a phone above all, refuses that. */
const MOST_PAGES = [65536, 32768, 16384, 8192];

interface SharedMemory {
  readonly wasmMemory: WebAssembly.Memory;
  readonly tensors: TensorMemory;
}

function newMemory(): SharedMemory {
  let refusal: unknown;
  for (const pages of MOST_PAGES) {
    try {
      const wasmMemory = new WebAssembly.Memory({ initial: 1, maximum: pages, shared: true });
      return { wasmMemory, tensors: new TensorMemory(new Heap(wasmMemory, HEAP, pages), createCollector()) };
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

/** The kernels on so many threads. */
function kernelsOf({ engine }: Running, threads: number): DecliningKernels {
  return Object.fromEntries(
    Object.entries(KERNELS)
      .filter(([, kernel]) => kernel)
      .map(([name, kernel]) => [name, guarded(engine, threads, kernel as AnyKernel)]),
  ) as DecliningKernels;
}

interface Running {
  readonly variant: KernelVariant;
  readonly engine: Engine;
  readonly exports: WasmExports;
}

/** Kernels on a memory. @throws if they have not been built or the runtime lacks what they need */
function startEngine(variant: KernelVariant, { wasmMemory, tensors }: SharedMemory): Running {
  const module = loadKernels(variant);
  const instance = new WebAssembly.Instance(module, { env: { memory: wasmMemory } });
  const exports = instance.exports as unknown as WasmExports;
  const engine = new Engine(variant, exports, tensors, (id) => startThread(module, wasmMemory, id));
  return { variant, engine, exports };
}

/** The process has one memory, whatever the threads and the vectors: tensors of another would be copied at each call. */
let memory: SharedMemory | undefined;
let narrow: Running | undefined;
/** The kernels with vectors of 256 bits, or why there are none, once somebody has asked. */
let wide: Running | string | undefined;

function startWide(shared: SharedMemory): Running | string {
  let running: Running;
  try {
    running = startEngine('wide', shared);
  } catch (error) {
    if (error instanceof UserError) throw error;
    return `their kernels cannot be compiled here: ${error instanceof Error ? error.message : error}`;
  }
  if (!joinedIsFaster(running.engine, running.exports)) return 'this processor gains nothing from them';
  const failing = failingKernel(kernelsOf(running, 1));
  return failing ? `the kernel ${failing} gives wrong numbers with them` : running;
}

/** The engine that all backends with vectors of so many bits share, or the best that there is. */
function sharedEngine(vectors: Vectors | undefined): { running: Running; note?: string } {
  memory ??= newMemory();
  const { possible, tested, why, note } = joining();
  if (vectors === 256 && !possible) throw new UserError(`256-bit vectors cannot be had: ${why}`);
  if (vectors === 256 || (vectors === undefined && tested)) {
    wide ??= startWide(memory);
    if (typeof wide !== 'string') return { running: wide };
    if (vectors === 256) throw new UserError(`256-bit vectors cannot be had: ${wide}`);
  }
  narrow ??= startEngine(narrowVariant(), memory);
  return { running: narrow, note: vectors === undefined ? note : undefined };
}

export interface WasmOptions {
  /** As many as the machine runs at once, unless told otherwise. */
  threads?: number;
  /** Bits of the vectors: 256 where that was tested and is faster, else 128, unless told otherwise. */
  vectors?: Vectors;
  /** An engine of its own with these kernels, for tests; else all backends share one memory. */
  variant?: KernelVariant;
}

/**
 * The CPU engine: WebAssembly kernels with SIMD on `threads` threads.
 * @throws UserError if vectors of 256 bits are asked for and cannot be had
 * @throws if the kernels have not been built or the runtime lacks what they need
 */
export function createWasmBackend({
  threads = availableThreads(),
  vectors,
  variant,
}: WasmOptions = {}): WasmBackend {
  const { running, note } = variant
    ? { running: startEngine(variant, newMemory()), note: undefined }
    : sharedEngine(vectors);
  const { engine } = running;
  const tensors = engine.memory;
  return {
    name: 'wasm',
    kernels: kernelsOf(running, threads),
    threads,
    vectors: running.variant === 'wide' ? 256 : 128,
    vectorsNote: note,
    relaxed: running.variant !== 'simd',
    memory: tensors,
    allocator: tensors,
    start: () => engine.start(threads),
    memoryUse: () => ({ inUse: tensors.heap.bytesInUse, reserved: tensors.heap.buffer.byteLength }),
    betweenSteps: () => tensors.betweenSteps(),
  };
}
