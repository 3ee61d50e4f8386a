import type { GpuMode } from '../protocol.ts';
import type { Engine } from './engine.ts';
import type { GpuJsModule } from './gpujs.ts';
import { HostEngine } from './host.ts';
import { TextureEngine } from './texture.ts';
import { WebGpuEngine } from './webgpu.ts';

/** Opens a mode's device. @throws Unavailable, with the reason in one line, if it cannot run here. */
export async function openEngine(mode: GpuMode, gpuJs: GpuJsModule): Promise<Engine> {
  if (mode === 'webgpu') return (await WebGpuEngine.open(gpuJs)) as Engine;
  if (mode === 'headlessgl' || mode === 'webgl2') return TextureEngine.open(mode, gpuJs) as Engine;
  return new HostEngine(mode, gpuJs) as Engine;
}
