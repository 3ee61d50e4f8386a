import { createCollector } from '#platform/lib/backend/collect';
import { loadKernels } from '#platform/lib/backend/wasm/load';
import { availableThreads, startThread } from '#platform/lib/backend/wasm/threads';
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
import type { KernelVariant } from './relaxedSimd.ts';

export interface WasmBackend extends Backend {
  readonly threads: number;
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

function newMemory(): { wasmMemory: WebAssembly.Memory; pages: number } {
  let refusal: unknown;
  for (const pages of MOST_PAGES) {
    try {
      return { wasmMemory: new WebAssembly.Memory({ initial: 1, maximum: pages, shared: true }), pages };
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

interface Running {
  readonly engine: Engine;
  readonly relaxed: boolean;
}

/** An engine with a memory of its own. @throws if the kernels have not been built or the runtime lacks what they need */
function startEngine(variant?: KernelVariant): Running {
  const { module, relaxed } = loadKernels(variant);
  const { wasmMemory, pages } = newMemory();
  const instance = new WebAssembly.Instance(module, { env: { memory: wasmMemory } });
  const exports = instance.exports as unknown as WasmExports;
  const memory = new TensorMemory(new Heap(wasmMemory, exports.heapBase(), pages), createCollector());
  const engine = new Engine(exports, memory, (id) => startThread(module, wasmMemory, id));
  return { engine, relaxed };
}

/** The process has one, whatever its threads: tensors of another memory would be copied at each call. */
let shared: Running | undefined;

export interface WasmOptions {
  /** As many as the machine runs at once, unless told otherwise. */
  threads?: number;
  /** An engine of its own with these kernels, for tests; else all backends share one with the best that runs here. */
  variant?: KernelVariant;
}

/**
 * The CPU engine: WebAssembly kernels with SIMD on `threads` threads.
 * @throws if the kernels have not been built or the runtime lacks what they need
 */
export function createWasmBackend({ threads = availableThreads(), variant }: WasmOptions = {}): WasmBackend {
  shared = variant ? shared : (shared ?? startEngine());
  const { engine, relaxed } = variant ? startEngine(variant) : shared!;
  const { memory } = engine;
  const kernels = Object.fromEntries(
    Object.entries(KERNELS)
      .filter(([, kernel]) => kernel)
      .map(([name, kernel]) => [name, guarded(engine, threads, kernel as AnyKernel)]),
  ) as DecliningKernels;
  return {
    name: 'wasm',
    kernels,
    threads,
    relaxed,
    memory,
    allocator: memory,
    start: () => engine.start(threads),
    memoryUse: () => ({ inUse: memory.heap.bytesInUse, reserved: memory.heap.buffer.byteLength }),
    betweenSteps: () => memory.betweenSteps(),
  };
}
