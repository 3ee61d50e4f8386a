import type { KernelDefinition, Limits } from '../protocol.ts';

/**
 * Where kernels run and arrays live, in the worker. There is one for WebGPU's buffers, one for OpenGL's
 * textures, and one for the two modes of gpu.js that compute on the CPU.
 */
export interface Engine<Value = unknown> {
  /** Names the device, e.g. for the line that a run prints. */
  readonly device: string;
  readonly limits: Limits;
  upload(data: Float32Array): Value | Promise<Value>;
  /** Calls the kernel once for each cell of `output`. */
  run(
    kernel: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<Value>[],
  ): Promise<Value>;
  /** The numbers, when all that was asked before is done. @throws if any of it failed. */
  read(value: Value): Promise<Float32Array>;
  free(value: Value): void;
  /** Breaks the device, for tests. */
  lose(): void;
}

export type EngineArgument<Value> = number | { readonly value: Value; readonly size: readonly number[] };

/** Says in one line why a mode cannot run here. */
export class Unavailable extends Error {}

/** Drivers' messages run over many lines, of which the first says what is wrong. */
export function firstLine(error: unknown): string {
  const message = (error as { message?: string }).message ?? String(error);
  return message.split('\n')[0];
}

/** A cache of compiled kernels that keeps the most recently used ones and disposes of the rest. */
export class KernelCache<Kernel> {
  readonly #limit: number;
  readonly #dispose: (kernel: Kernel) => void;
  readonly #kernels = new Map<string, Kernel>();

  constructor(limit: number, dispose: (kernel: Kernel) => void) {
    this.#limit = limit;
    this.#dispose = dispose;
  }

  get size(): number {
    return this.#kernels.size;
  }

  get(key: string, compile: () => Kernel): Kernel {
    const kernel = this.#kernels.get(key) ?? compile();
    // A Map keeps the order of insertion: the first one is the one not used for the longest time.
    this.#kernels.delete(key);
    this.#kernels.set(key, kernel);
    for (const [oldest, old] of this.#kernels) {
      if (this.#kernels.size <= this.#limit) break;
      this.#kernels.delete(oldest);
      this.#dispose(old);
    }
    return kernel;
  }
}

/** How gpu.js names the argument types. */
export const GPU_JS_TYPES = { array: 'Input', int: 'Integer', float: 'Float' } as const;

/**
 * A key per shape: these backends write the sizes into the compiled kernel. A float argument may change
 * from call to call (a learning rate does) and is not a part of it.
 */
export function keyOfShape(
  kernel: KernelDefinition,
  output: readonly number[],
  args: readonly EngineArgument<unknown>[],
): string {
  const sizes = args.map((arg, i) => {
    if (typeof arg === 'object') return arg.size.join('x');
    return kernel.argumentTypes[i] === 'int' ? arg : '';
  });
  return `${kernel.name}|${output.join('x')}|${sizes.join(',')}`;
}

/** An upper bound for the loops of one call, which OpenGL wants to know: no loop is longer than a size. */
export function longestLoop(args: readonly EngineArgument<unknown>[]): number {
  let longest = 1;
  for (const arg of args) {
    if (typeof arg === 'object') longest = Math.max(longest, ...arg.size);
    else if (Number.isInteger(arg)) longest = Math.max(longest, arg);
  }
  return longest;
}
