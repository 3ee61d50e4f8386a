import { createCollector } from '#platform/lib/backend/collect';
import { loadKernels } from '#platform/lib/backend/wasm/load';
import { availableThreads, startThreads } from '#platform/lib/backend/wasm/threads';
import type { Backend, DecliningKernels, Kernels } from '../kernels.ts';
import { Declined, Engine, type WasmExports } from './engine.ts';
import { addInto, contiguous, copyInto } from './kernels/copy.ts';
import { binary, cast, geluBackward, unary, where } from './kernels/elementwise.ts';
import { matmul, matmulInto } from './kernels/matmul.ts';
import {
  causalSoftmax,
  causalSoftmaxBackward,
  crossEntropy,
  crossEntropyBackward,
  layerNorm,
  layerNormBackward,
  logSoftmax,
  logSoftmaxBackward,
  reduce,
  softmax,
  softmaxBackward,
} from './kernels/rows.ts';
import { adamW, embedding, embeddingBackwardInto } from './kernels/training.ts';
import { Heap } from './memory/heap.ts';
import { TensorMemory } from './memory/tensorMemory.ts';

export interface WasmBackend extends Backend {
  readonly threads: number;
  /** Does the runtime have fused multiply-adds (relaxed SIMD)? */
  readonly relaxed: boolean;
  readonly memory: TensorMemory;
  /** Starts the threads, which otherwise start with the first job that they can help with. A browser's start only once this is awaited. */
  start(): Promise<void>;
}

type WithEngine<F> = F extends (...args: infer A) => infer R ? (engine: Engine, ...args: A) => R : never;
type AnyKernel = (engine: Engine, ...args: unknown[]) => unknown;

/** What this backend does itself. `undefined` leaves a kernel to the next backend, as a kernel does that declines a case. */
const KERNELS = {
  ...{ matmul, matmulInto },
  ...{ unary, binary, geluBackward, where, cast },
  ...{ contiguous, copyInto, addInto },
  ...{ softmax, softmaxBackward, causalSoftmax, causalSoftmaxBackward, logSoftmax, logSoftmaxBackward },
  ...{ layerNorm, layerNormBackward, crossEntropy, crossEntropyBackward, reduce },
  ...{ embedding, embeddingBackwardInto, adamW },
  ...{ argReduce: undefined, gather: undefined, scatterAddInto: undefined, scatterInto: undefined },
  ...{ cumsum: undefined },
} satisfies { [K in keyof Kernels]: WithEngine<NonNullable<DecliningKernels[K]>> | undefined };

/** A kernel that answers `undefined` when the memory is full, and gives back what it borrowed in any case. */
function guarded<Args extends unknown[], Result>(
  engine: Engine,
  kernel: (engine: Engine, ...args: Args) => Result | undefined,
): (...args: Args) => Result | undefined {
  return (...args) => {
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

/**
 * The CPU engine: WebAssembly kernels with SIMD on `threads` threads (by default as many as the machine runs at
 * once). Throws if the kernels have not been built or the runtime lacks what they need.
 */
export function createWasmBackend({ threads = availableThreads() }: { threads?: number } = {}): WasmBackend {
  const { module, relaxed } = loadKernels();
  const { wasmMemory, pages } = newMemory();
  const instance = new WebAssembly.Instance(module, { env: { memory: wasmMemory } });
  const exports = instance.exports as unknown as WasmExports;
  const memory = new TensorMemory(new Heap(wasmMemory, exports.heapBase(), pages), createCollector());
  const engine = new Engine(exports, memory, threads, () => startThreads(module, wasmMemory, threads - 1));
  const kernels = Object.fromEntries(
    Object.entries(KERNELS)
      .filter(([, kernel]) => kernel)
      .map(([name, kernel]) => [name, guarded(engine, kernel as AnyKernel)]),
  ) as DecliningKernels;
  return {
    name: 'wasm',
    kernels,
    threads,
    relaxed,
    memory,
    allocate: memory.allocate,
    start: () => engine.start(),
    betweenSteps: () => memory.betweenSteps(),
    close: () => engine.close(),
  };
}
