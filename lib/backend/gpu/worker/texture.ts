import type { GpuMode, KernelDefinition, Limits } from '../protocol.ts';
import {
  type Engine,
  type EngineArgument,
  GPU_JS_TYPES,
  KernelCache,
  keyOfShape,
  longestLoop,
  Unavailable,
} from './engine.ts';
import { type GpuJs, type GpuJsKernel, type GpuJsModule, refuseFallback } from './gpujs.ts';

/**
 * OpenGL, through headless-gl in Node and WebGL 2 in a browser: a value is a float texture, which holds one
 * number per texel, in row-major order whatever the array's shape is.
 */

/** gpu.js's own texture. */
interface Texture {
  output: number[];
  dimensions: number[];
  /** Width and height in texels, which depend on the shape that it was computed in. */
  size: number[];
  /** The kernel that made the texture. */
  kernel: object;
  toArray(): Float32Array;
  delete(): void;
}

/** A shape's sizes are written into its shader: a GPT's training step has about a hundred. */
const CACHED_KERNELS = 512;

const IDENTITY: KernelDefinition = {
  name: 'upload',
  source: 'function (x) { return x[this.thread.x]; }',
  argumentTypes: ['array'],
  width: 1,
};

export class TextureEngine implements Engine<Texture> {
  readonly device: string;
  readonly limits: Limits;
  readonly #mode: GpuMode;
  readonly #gpu: GpuJs;
  readonly #input: GpuJsModule['input'];
  readonly #cache = new KernelCache<GpuJsKernel>(CACHED_KERNELS, (kernel) => kernel.destroy());
  /**
   * All other textures are turned into textures of this kernel. gpu.js has a class of texture for each rank of the output,
   * kernels take one class only, and a texture can be read and deleted only through a kernel that still exists.
   */
  readonly #keeper: { readonly kernel: object; readonly prototype: object };
  #lost = false;

  /** @throws Unavailable if there is no OpenGL context to be had. */
  static open(mode: 'headlessgl' | 'webgl2', { GPU, input }: GpuJsModule): TextureEngine {
    if (mode === 'webgl2' && !GPU.isWebGL2Supported) throw new Unavailable('there is no WebGL 2 here');
    if (mode === 'headlessgl' && !GPU.isHeadlessGLSupported) {
      throw new Unavailable('headless-gl gives no context: it finds no display');
    }
    return new TextureEngine(mode, new GPU({ mode }), input);
  }

  private constructor(mode: GpuMode, gpu: GpuJs, input: GpuJsModule['input']) {
    this.#mode = mode;
    this.#gpu = gpu;
    this.#input = input;
    this.device = mode === 'headlessgl' ? 'OpenGL through headless-gl' : 'WebGL 2';
    const shortcut = this.#compile(IDENTITY, [1], [{ value: undefined, size: [1] }]);
    const texture = shortcut(input(new Float32Array(1), [1])) as Texture;
    this.#keeper = { kernel: texture.kernel, prototype: Object.getPrototypeOf(texture) };
    // gpu.js makes an output of two sizes a texture of just these.
    const side = gpu.Kernel.features.maxTextureSize;
    this.limits = { length: side * side, side, depth: Number.POSITIVE_INFINITY };
  }

  upload(data: Float32Array): Texture {
    const kernel = this.#kernel(IDENTITY, [data.length], [{ value: undefined, size: [data.length] }]);
    return this.#kept(kernel(this.#input(data, [data.length])) as Texture, data.length);
  }

  async run(
    definition: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<Texture>[],
  ): Promise<Texture> {
    if (this.#lost) throw new Error('the device was lost');
    const kernel = this.#kernel(definition, output, args);
    const result = kernel(
      ...args.map((arg) => (typeof arg === 'number' ? arg : this.#seenAs(arg))),
    ) as Texture;
    refuseFallback(kernel, this.#mode);
    const length = output.reduce((product, size) => product * size, 1);
    return this.#kept(result, length);
  }

  async read(value: Texture): Promise<Float32Array> {
    if (this.#lost) throw new Error('the device was lost');
    return flatten(value.toArray());
  }

  free(value: Texture): void {
    value.delete();
  }

  lose(): void {
    this.#lost = true;
  }

  /** The same texture as one row, in the keeper's hands. */
  #kept(texture: Texture, length: number): Texture {
    const { kernel, prototype } = this.#keeper;
    return Object.assign(Object.create(prototype), texture, { kernel, output: [length] });
  }

  /** The same texture under other sizes. */
  #seenAs(arg: { value: Texture; size: readonly number[] }): Texture {
    const [x, y = 1, z = 1] = arg.size;
    return Object.assign(Object.create(this.#keeper.prototype), arg.value, { dimensions: [x, y, z] });
  }

  #kernel(
    definition: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<unknown>[],
  ): GpuJsKernel {
    // The width and height of the texture are written into the shader as well.
    const texels = args.map((arg) =>
      typeof arg === 'number' ? '' : (arg.value as Texture | undefined)?.size,
    );
    return this.#cache.get(`${keyOfShape(definition, output, args)}|${texels.join(';')}`, () =>
      this.#compile(definition, output, args),
    );
  }

  #compile(
    definition: KernelDefinition,
    output: readonly number[],
    args: readonly EngineArgument<unknown>[],
  ): GpuJsKernel {
    return this.#gpu.createKernel(definition.source, {
      output: [...output],
      argumentTypes: definition.argumentTypes.map((type) =>
        type === 'array' && definition !== IDENTITY ? 'NumberTexture' : GPU_JS_TYPES[type],
      ),
      pipeline: true,
      immutable: true,
      precision: 'single',
      loopMaxIterations: longestLoop(args) + 1,
    });
  }
}

/** gpu.js gives rows in rows, as deep as the output has sizes. */
export function flatten(nested: unknown): Float32Array {
  if (nested instanceof Float32Array) return nested;
  const parts = (nested as unknown[]).map(flatten);
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
