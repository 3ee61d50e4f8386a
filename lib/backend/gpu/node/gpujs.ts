import { createRequire } from 'node:module';
import type { GpuMode } from '../protocol.ts';
import { firstLine, Unavailable } from '../worker/engine.ts';
import type { GpuJsModule } from '../worker/gpujs.ts';

/**
 * gpu.js in Node, and the packages that give it there what a browser has. It looks for `navigator.gpu` and for
 * headless-gl when it is loaded, so these come first.
 *
 * @throws Unavailable if the package for this mode does not load.
 */
export async function loadGpuJs(mode: GpuMode): Promise<GpuJsModule> {
  const require = createRequire(import.meta.url);
  if (mode === 'webgpu') await provideWebGpu();
  if (mode === 'headlessgl') loadHeadlessGl(require);
  else hideHeadlessGl(require);
  try {
    return require('gpu.js');
  } catch (error) {
    throw new Unavailable(`the package gpu.js does not load: ${firstLine(error)}`);
  }
}

async function provideWebGpu(): Promise<void> {
  const scope = globalThis as { navigator?: { gpu?: GPU } };
  if (scope.navigator?.gpu) return;
  let create: (options: string[]) => GPU;
  try {
    ({ create } = await import('webgpu'));
  } catch (error) {
    throw new Unavailable(`the package webgpu does not load: ${firstLine(error)}`);
  }
  if (!scope.navigator) Object.defineProperty(scope, 'navigator', { value: {}, configurable: true });
  Object.defineProperty(scope.navigator, 'gpu', { value: create([]), configurable: true });
}

/** Says why the optional package does not load. gpu.js does not say. */
function loadHeadlessGl(require: NodeJS.Require): void {
  try {
    require('gl');
  } catch (error) {
    const reason = firstLine(error);
    const again = reason.includes('self-register') ? ' (it can be opened once in a process)' : '';
    throw new Unavailable(`headless-gl, the optional package gl, does not load${again}: ${reason}`);
  }
}

/** gpu.js loads headless-gl whatever the mode, and only one thread of a process can load it. */
function hideHeadlessGl(require: NodeJS.Require): void {
  try {
    const path = require.resolve('gl');
    require.cache[path] ??= { exports: null, loaded: true, id: path, filename: path } as NodeJS.Module;
  } catch {
    // headless-gl is not installed, so there is nothing to hide.
  }
}
