import type { Backend, DecliningKernels } from '../kernels.ts';
import { createCollector } from './collect.node.ts';
import { Engine, OutOfMemory, RESERVED_BYTES, type WasmExports } from './engine.ts';
import { matmul, matmulInto } from './gemm.ts';
import { Heap } from './heap.ts';
import { loadKernels } from './load.node.ts';
import { TensorMemory } from './memory.ts';
import { startThreads } from './threads.node.ts';

export interface WasmBackend extends Backend {
  readonly threads: number;
  /** Does the runtime have fused multiply-adds (relaxed SIMD)? */
  readonly relaxed: boolean;
  readonly memory: TensorMemory;
}

/** A kernel that answers `undefined` when the memory is full, and gives back what it borrowed in any case. */
function guarded<Args extends unknown[], Result>(
  engine: Engine,
  kernel: (engine: Engine, ...args: Args) => Result | undefined,
): (...args: Args) => Result | undefined {
  return (...args) => {
    try {
      return kernel(engine, ...args);
    } catch (error) {
      if (error instanceof OutOfMemory) return undefined;
      throw error;
    } finally {
      engine.finish();
    }
  };
}

/**
 * The CPU engine: WebAssembly kernels with SIMD on `threads` threads (by default as many as the machine runs at
 * once). Throws if the kernels have not been built or the runtime lacks what they need.
 */
export function createWasmBackend({ threads = 1 }: { threads?: number } = {}): WasmBackend {
  const { module, relaxed } = loadKernels();
  const wasmMemory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory: wasmMemory } });
  const memory = new TensorMemory(new Heap(wasmMemory, RESERVED_BYTES), createCollector());
  const engine = new Engine(exports as unknown as WasmExports, memory, threads, () =>
    startThreads(module, wasmMemory, threads - 1),
  );
  const kernels: DecliningKernels = {
    matmul: guarded(engine, matmul),
    matmulInto: guarded(engine, matmulInto),
  };
  return { name: 'wasm', kernels, threads, relaxed, memory, close: () => engine.close() };
}
