import type { GpuMode } from '../protocol.ts';

/** gpu.js, with the parts of it that its own types leave out. */
export interface GpuJsKernel {
  (...args: unknown[]): unknown;
  kernel: { constructor: { mode?: string }; fallbackReason?: string | null };
  setOutput(output: number[]): void;
  destroy(): void;
}

export interface GpuJsSettings {
  output: number[];
  argumentTypes: string[];
  pipeline: boolean;
  immutable?: boolean;
  dynamicOutput?: boolean;
  dynamicArguments?: boolean;
  loopMaxIterations: number;
  precision?: 'single';
}

export interface GpuJs {
  Kernel: { features: { maxTextureSize: number } };
  createKernel(source: string, settings: GpuJsSettings): GpuJsKernel;
}

export interface GpuJsModule {
  GPU: {
    new (settings: { mode: GpuMode }): GpuJs;
    isHeadlessGLSupported: boolean;
    isWebGL2Supported: boolean;
  };
  input(data: Float32Array, size: number[]): unknown;
}

/** gpu.js falls back to its CPU mode by itself, with a message; here that is an error like any other. */
export function refuseFallback(kernel: GpuJsKernel, mode: GpuMode): void {
  const { kernel: actual } = kernel;
  if (actual.constructor.mode === 'cpu' && mode !== 'cpu') {
    throw new Error(
      `gpu.js left ${mode} mode for its cpu mode: ${actual.fallbackReason ?? 'no reason given'}`,
    );
  }
}
