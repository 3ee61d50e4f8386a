import type { Context } from 'mocha';
import { setBackends } from '../../lib/backend/dispatch.ts';
import {
  createGpuBackend,
  GPU_MODES,
  type GpuBackend,
  type GpuMode,
  type GpuOptions,
} from '../../lib/backend/gpu/index.ts';

/** The modes to test: all, or those named in the variable GPU_MODES, separated by commas. */
export const TESTED_MODES: readonly GpuMode[] = process.env.GPU_MODES
  ? (process.env.GPU_MODES.split(',') as GpuMode[])
  : GPU_MODES;

const shared = new Map<GpuMode, GpuBackend | { unavailable: string }>();

/**
 * The mode's backend, shared by all tests since headless-gl can be opened once in a process only; it takes every
 * case that it can. Answers why it cannot run here instead, and says so once.
 */
async function openShared(mode: GpuMode): Promise<GpuBackend | { unavailable: string }> {
  const known = shared.get(mode);
  if (known && ('unavailable' in known || !known.lost)) return known;
  const backend = await createGpuBackend({ mode, insists: true });
  if ('unavailable' in backend) console.log(`    skipped: ${mode}: ${backend.unavailable}`);
  shared.set(mode, backend);
  return backend;
}

/** Makes the backend answer, without it being closed when another one does. */
export function activate(gpu: GpuBackend): void {
  setBackends([{ name: gpu.name, kernels: gpu.kernels, betweenSteps: gpu.betweenSteps }]);
}

/** The mode's shared backend, made active, or the test or suite skipped. */
export async function useMode(context: Context, mode: GpuMode): Promise<GpuBackend> {
  const backend = await openShared(mode);
  if ('unavailable' in backend) return context.skip(); // no driver or package: openShared has said which
  activate(backend);
  return backend;
}

/** The same for the table of operations, which wants to know why not. */
export const modeByName = (mode: GpuMode) => async (): Promise<string | undefined> => {
  const backend = await openShared(mode);
  if ('unavailable' in backend) return backend.unavailable;
  activate(backend);
  return undefined;
};

/** A backend of this test's own, which it may break, made active. */
export async function openOwn(
  context: Context,
  mode: GpuMode,
  options: GpuOptions = {},
): Promise<GpuBackend> {
  if (mode === 'headlessgl') return context.skip(); // a second context in the process does not open
  const backend = await createGpuBackend({ mode, insists: true, ...options });
  if ('unavailable' in backend) return context.skip(); // no driver or package: openShared has said which
  activate(backend);
  return backend;
}
