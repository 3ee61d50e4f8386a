import type { KernelDefinition, Limits } from '../protocol.ts';
import {
  type Engine,
  type EngineArgument,
  firstLine,
  GPU_JS_TYPES,
  KernelCache,
  Unavailable,
} from './engine.ts';
import { type GpuJs, type GpuJsKernel, type GpuJsModule, refuseFallback } from './gpujs.ts';

/**
 * WebGPU: a value is a storage buffer, which gpu.js hands out in `pipeline` mode as a handle.
 *
 * Sizes travel with each call (gpu.js keeps them in a uniform buffer), so one compiled kernel serves every
 * shape of the same rank: text grows token by token in `generate` without a compilation for each length.
 */

/** gpu.js's own handle on a buffer (its WebGPUBufferResult). */
interface Handle {
  buffer: GPUBuffer & { _refs?: number };
  output: number[];
  componentCount: number;
  context: { device: GPUDevice; adapter: GPUAdapter; isLost: boolean };
  kernel: unknown;
  toArray(): Promise<Float32Array>;
}

interface WebGpuKernel extends GpuJsKernel {
  kernel: GpuJsKernel['kernel'] & { outputBuffer: Handle['buffer'] | null; bindGroupDirty: boolean };
}

/** Enough for every kernel of a training step in all its ranks. */
const CACHED_KERNELS = 256;
/** Buffers that are kept for reuse: allocation is slow on real cards. */
const POOLED_BYTES = 256 * 2 ** 20;
const ERROR_KINDS: GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

// The numbers are the specification's own: the names exist only where WebGPU is a global.
const BUFFER_USAGE = 0x80 | 0x04 | 0x08; // STORAGE, COPY_SRC, COPY_DST

export class WebGpuEngine implements Engine<Handle> {
  readonly device: string;
  readonly limits: Limits;
  readonly #gpu: GpuJs;
  /** The first handle, from which the others are made, and whose kernel does all the reading. */
  readonly #first: Handle;
  readonly #cache = new KernelCache<WebGpuKernel>(CACHED_KERNELS, (kernel) => kernel.destroy());
  readonly #pool = new BufferPool();
  #failure: string | undefined;

  /** @throws Unavailable if there is no WebGPU or no adapter answers. */
  static async open({ GPU, input }: GpuJsModule): Promise<WebGpuEngine> {
    if (!globalThis.navigator?.gpu) throw new Unavailable('there is no WebGPU here');
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new Unavailable('the graphics drivers here offer no WebGPU adapter');
    const gpu = new GPU({ mode: 'webgpu' });
    const settings = { output: [1], argumentTypes: ['Input'], pipeline: true, loopMaxIterations: 1 };
    const first = gpu.createKernel('function (x) { return x[this.thread.x]; }', settings);
    let handle: Handle;
    try {
      handle = (await first(input(new Float32Array(1), [1]))) as Handle;
    } catch (error) {
      throw new Unavailable(firstLine(error));
    }
    return new WebGpuEngine(gpu, handle);
  }

  private constructor(gpu: GpuJs, first: Handle) {
    this.#gpu = gpu;
    this.#first = first;
    const { device, adapter } = first.context;
    const { vendor, architecture, device: name, description } = adapter.info;
    this.device =
      [description || name || vendor, architecture].filter(Boolean).join(', ') || 'unnamed adapter';
    const {
      maxComputeWorkgroupsPerDimension: groups,
      maxStorageBufferBindingSize,
      maxBufferSize,
    } = device.limits;
    // gpu.js runs outputs of two and three sizes in groups of 8 by 8 threads.
    this.limits = {
      length: Math.min(maxStorageBufferBindingSize, maxBufferSize) / 4,
      side: groups * 8,
      depth: groups,
    };
    // gpu.js prints such errors and goes on with zeros; here they end the mode.
    device.onuncapturederror = (event) => {
      this.#failure ??= firstLine(event.error);
    };
    this.#watchForErrors();
  }

  upload(data: Float32Array): Handle {
    const buffer = this.#takeBuffer(data.byteLength);
    this.#first.context.device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return this.#handle(buffer, data.length);
  }

  async run(
    definition: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<Handle>[],
  ): Promise<Handle> {
    if (this.#first.context.isLost) throw new Error('the device was lost');
    const kernel = this.#cache.get(`${definition.name}|${output.length}`, () =>
      this.#compile(definition, output),
    );
    kernel.setOutput([...output]);
    const cells = output.reduce((product, size) => product * size, definition.width as number);
    // gpu.js would write over the result of the kernel's last call: each call gets a buffer of its own.
    kernel.kernel.outputBuffer = this.#takeBuffer(cells * 4);
    kernel.kernel.bindGroupDirty = true;
    const result = (await kernel(
      ...args.map((arg) => (typeof arg === 'number' ? arg : seenAs(arg))),
    )) as Handle;
    refuseFallback(kernel, 'webgpu');
    kernel.kernel.outputBuffer = null;
    return this.#handle(result.buffer, cells);
  }

  async read(value: Handle): Promise<Float32Array> {
    const data = await value.toArray();
    await this.#throwErrors();
    return data;
  }

  free(value: Handle): void {
    this.#pool.put(value.buffer);
  }

  lose(): void {
    this.#first.context.device.destroy();
  }

  #compile(definition: KernelDefinition, output: readonly number[]): WebGpuKernel {
    return this.#gpu.createKernel(definition.source, {
      output: [...output],
      argumentTypes: definition.argumentTypes.map((type) => GPU_JS_TYPES[type]),
      pipeline: true,
      dynamicOutput: true,
      dynamicArguments: true,
      loopMaxIterations: 2 ** 30,
    }) as WebGpuKernel;
  }

  #takeBuffer(bytes: number): Handle['buffer'] {
    const size = Math.max(4, bytes);
    const { device } = this.#first.context;
    return this.#pool.take(size) ?? device.createBuffer({ size, usage: BUFFER_USAGE });
  }

  #handle(buffer: Handle['buffer'], length: number): Handle {
    const first = this.#first;
    return Object.assign(Object.create(Object.getPrototypeOf(first)), first, {
      buffer,
      output: [length],
      componentCount: 1,
    });
  }

  #watchForErrors(): void {
    for (const kind of ERROR_KINDS) this.#first.context.device.pushErrorScope(kind);
  }

  /** Errors of WebGPU arrive late. At a read, those of all commands before it are known. */
  async #throwErrors(): Promise<void> {
    const { device, isLost } = this.#first.context;
    if (isLost) throw new Error('the device was lost');
    const errors = await Promise.all(ERROR_KINDS.map(() => device.popErrorScope()));
    this.#watchForErrors();
    const error = errors.find(Boolean);
    if (error) this.#failure ??= firstLine(error);
    if (this.#failure) throw new Error(this.#failure);
  }
}

/** The same buffer under other sizes: arrays are flat, so a new shape is only a new way to count. */
function seenAs(arg: { value: Handle; size: readonly number[] }): Handle {
  return Object.assign(Object.create(Object.getPrototypeOf(arg.value)), arg.value, { output: [...arg.size] });
}

/** Freed buffers by size, so that a training step finds those of the step before. */
class BufferPool {
  readonly #free = new Map<number, Handle['buffer'][]>();
  #bytes = 0;

  take(bytes: number): Handle['buffer'] | undefined {
    const buffer = this.#free.get(bytes)?.pop();
    if (buffer) this.#bytes -= bytes;
    return buffer;
  }

  put(buffer: Handle['buffer']): void {
    if (this.#bytes + buffer.size > POOLED_BYTES) {
      buffer.destroy();
      return;
    }
    const sameSize = this.#free.get(buffer.size);
    if (sameSize) sameSize.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
    this.#bytes += buffer.size;
  }
}
