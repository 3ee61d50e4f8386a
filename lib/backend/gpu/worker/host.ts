import type { GpuMode, KernelDefinition, Limits } from '../protocol.ts';
import {
  type Engine,
  type EngineArgument,
  GPU_JS_TYPES,
  KernelCache,
  keyOfShape,
  longestLoop,
} from './engine.ts';
import { type GpuJs, type GpuJsKernel, type GpuJsModule, refuseFallback } from './gpujs.ts';
import { flatten } from './texture.ts';

/**
 * The two modes of gpu.js that compute on the CPU, `webasm` and `cpu`: a value is a plain array. They are
 * much slower than our own CPU engine and serve to try out kernels where there is no GPU.
 */
const CACHED_KERNELS = 256;

export class HostEngine implements Engine<Float32Array> {
  readonly device: string;
  // What WebAssembly's memory can hold.
  readonly limits: Limits = {
    length: 2 ** 28,
    side: Number.POSITIVE_INFINITY,
    depth: Number.POSITIVE_INFINITY,
  };
  readonly #mode: GpuMode;
  readonly #gpu: GpuJs;
  readonly #input: GpuJsModule['input'];
  readonly #cache = new KernelCache<GpuJsKernel>(CACHED_KERNELS, (kernel) => kernel.destroy());
  #lost = false;

  constructor(mode: 'webasm' | 'cpu', { GPU, input }: GpuJsModule) {
    this.#mode = mode;
    this.#gpu = new GPU({ mode });
    this.#input = input;
    this.device = mode === 'webasm' ? 'the CPU, through WebAssembly' : 'the CPU, through JavaScript';
  }

  upload(data: Float32Array): Float32Array {
    return data;
  }

  async run(
    definition: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<Float32Array>[],
  ): Promise<Float32Array> {
    if (this.#lost) throw new Error('the device was lost');
    const kernel = this.#cache.get(keyOfShape(definition, output, args), () =>
      this.#gpu.createKernel(definition.source, {
        output: [...output],
        argumentTypes: definition.argumentTypes.map((type) => GPU_JS_TYPES[type]),
        // Results that are not overwritten by the next call.
        pipeline: true,
        immutable: true,
        loopMaxIterations: longestLoop(args) + 1,
      }),
    );
    const result = kernel(
      ...args.map((arg) => (typeof arg === 'number' ? arg : this.#input(arg.value, [...arg.size]))),
    );
    refuseFallback(kernel, this.#mode);
    return flatten(result);
  }

  async read(value: Float32Array): Promise<Float32Array> {
    if (this.#lost) throw new Error('the device was lost');
    return value;
  }

  free(): void {
    // The garbage collector does it.
  }

  lose(): void {
    this.#lost = true;
  }
}
