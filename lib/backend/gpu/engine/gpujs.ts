import { createRequire } from 'node:module';
import type { GpuMode } from '../commands.ts';

/**
 * gpu.js, with the parts of it that its own types leave out. It is a CommonJS package that looks for
 * `navigator.gpu` and for headless-gl when it is loaded, so it is loaded late, by the mode that needs it.
 */
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

interface GpuJsModule {
  GPU: { new (settings: { mode: GpuMode }): GpuJs; isHeadlessGLSupported: boolean };
  input(data: Float32Array, size: number[]): unknown;
}

export function loadGpuJs(mode: GpuMode): GpuJsModule {
  const require = createRequire(import.meta.url);
  if (mode !== 'headlessgl') hideHeadlessGl(require);
  return require('gpu.js');
}

/** gpu.js loads headless-gl whatever the mode, and that can be loaded by one thread of a process only. */
function hideHeadlessGl(require: NodeJS.Require): void {
  try {
    const path = require.resolve('gl');
    require.cache[path] ??= { exports: null, loaded: true, id: path, filename: path } as NodeJS.Module;
  } catch {
    // It is not installed, so there is nothing to hide.
  }
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
