import type { Context } from 'mocha';
import {
  createGpuBackend,
  GPU_MODES,
  type GpuBackend,
  type GpuMode,
  type GpuOptions,
} from '../../lib/backend/gpu/index.ts';

/** The modes to test: all, or those named in GPU_MODES, separated by commas. */
export const TESTED_MODES: readonly GpuMode[] = process.env.GPU_MODES
  ? (process.env.GPU_MODES.split(',') as GpuMode[])
  : GPU_MODES;

const saidAlready = new Set<string>();

/** Opens a mode, or skips the test or suite with the reason why it cannot run here. */
export async function openOrSkip(
  context: Context,
  mode: GpuMode,
  options: GpuOptions = {},
): Promise<GpuBackend> {
  const backend = await createGpuBackend({ mode, ...options });
  if (!('unavailable' in backend)) return backend;
  if (!saidAlready.has(mode)) process.stdout.write(`skipped: ${mode}: ${backend.unavailable}\n`);
  saidAlready.add(mode);
  return context.skip();
}
