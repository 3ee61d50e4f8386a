import { createCollector } from '#platform/lib/backend/collect';
import { UserError } from '../../errors.ts';
import { activeBackends } from '../dispatch.ts';
import type { Backend } from '../kernels.ts';
import { Bridge, type SpawnWorker } from './device/bridge.ts';
import { Device } from './device/device.ts';
import { acceleratedKernels } from './device/seam.ts';
import { selfTest } from './device/selfTest.ts';
import type { Traffic } from './device/traffic.ts';
import { offloadKernels, residentKernels } from './kernels/index.ts';
import { DeviceLostError } from './lost.ts';
import { GPU_MODES, type GpuMode } from './protocol.ts';

export type { Traffic } from './device/traffic.ts';
export { GPU_MODES, type GpuMode } from './protocol.ts';

export interface GpuOptions {
  /** Without one: the first of `webgpu`, `headlessgl` and `webgl2` that works here. */
  mode?: GpuMode;
  /** `false` sends only matrix products to the device; else all of a training step stays there. */
  residency?: boolean;
  /** Multiply-adds from which on a product whose operands are on the host goes to the device. */
  smallestProduct?: number;
  /** Takes every case that the device can compute, whether or not that pays: for tests. */
  insists?: boolean;
  /** How a worker is started; Node's or a browser's way if not given: for tests. */
  spawn?: SpawnWorker;
}

/**
 * The GPU through gpu.js, as a backend with its own counts and states beside the kernels. Once the device is lost, every
 * operation throws `DeviceLostError`, until another backend is chosen.
 */
export interface GpuBackend extends Backend {
  readonly name: 'gpu';
  readonly mode: GpuMode;
  /** The driver's name for the device. */
  readonly device: string;
  /** Bytes up and down, waits, and kernels launched, so far. */
  readonly traffic: Readonly<Traffic>;
  /** The same for one training step, the median of those so far. */
  readonly perStep: Readonly<Traffic> | undefined;
  /** Arrays on the device at present, and their bytes. */
  readonly values: number;
  readonly bytes: number;
  /** Why the GPU can no longer be used, if so. */
  readonly lost: string | undefined;
  /** Multiply-adds from which on a product whose operands are on the host goes to the device. */
  smallestProduct: number;
  /** Waits until the device has done everything that was asked of it. */
  synchronise(): void;
  /** Frees the arrays that nobody can reach any more. The backend does so by itself; tests need it at once. */
  sweep(): Promise<void>;
  /** Breaks the device, or kills its worker, as may happen in the middle of a run: for tests. */
  lose(what: 'device' | 'worker'): void;
  close(): void;
}

const REAL_MODES: readonly GpuMode[] = GPU_MODES.filter((mode) => mode !== 'webasm' && mode !== 'cpu');
/** A product of about this size takes as long on a CPU as the way over the bus. */
const SMALLEST_PRODUCT = 2 ** 21;

/**
 * Opens the GPU. A missing driver or package is not an error: the answer then is the reason, in one line.
 * @throws UserError if the mode does not exist.
 */
export async function createGpuBackend(
  options: GpuOptions = {},
): Promise<GpuBackend | { unavailable: string }> {
  const { mode } = options;
  if (mode !== undefined && !GPU_MODES.includes(mode)) {
    throw new UserError(`there is no GPU mode '${mode}': expected one of ${GPU_MODES.join(', ')}`);
  }
  const reasons: string[] = [];
  for (const candidate of mode ? [mode] : REAL_MODES) {
    const backend = await open(candidate, options);
    if (!('unavailable' in backend)) return backend;
    reasons.push(`${candidate}: ${backend.unavailable}`);
  }
  return { unavailable: reasons.join('; ') };
}

async function open(mode: GpuMode, options: GpuOptions): Promise<GpuBackend | { unavailable: string }> {
  if (!('SharedArrayBuffer' in globalThis)) return { unavailable: 'this page may not share memory' };
  const bridge = await Bridge.open(mode, options.spawn ?? (await import('#gpu/spawn')).spawnWorker);
  if ('unavailable' in bridge) return bridge;
  const { residency = true, insists = false } = options;
  const smallestProduct = insists ? 0 : (options.smallestProduct ?? SMALLEST_PRODUCT);
  const device = new Device(bridge, { residency, insists, smallestProduct, collector: createCollector() });
  const wrong = failureOf(device);
  if (wrong) {
    bridge.close(wrong);
    return { unavailable: wrong };
  }
  Object.assign(bridge.traffic, { bytesUp: 0, bytesDown: 0, waits: 0, launches: 0 });
  return {
    name: 'gpu',
    mode,
    device: bridge.device,
    kernels: acceleratedKernels(device, residency ? residentKernels : offloadKernels),
    traffic: bridge.traffic,
    get perStep() {
      return device.meter.median;
    },
    get values() {
      return device.values;
    },
    get bytes() {
      return device.bytes;
    },
    get lost() {
      return device.lost;
    },
    get smallestProduct() {
      return device.smallestProduct;
    },
    set smallestProduct(multiplyAdds: number) {
      device.smallestProduct = multiplyAdds;
    },
    synchronise: () => device.synchronise(),
    sweep: () => device.sweepBetweenSteps(),
    betweenSteps: () => device.betweenSteps(),
    lose: (what) => bridge.lose(what),
    close: () => device.close(),
  };
}

/** Why the device fails its first products, if it does. */
function failureOf(device: Device): string | undefined {
  try {
    return selfTest(device);
  } catch (error) {
    if (error instanceof DeviceLostError) return device.lost;
    throw error;
  }
}

/** The GPU in use, if one is. */
export function activeGpu(): GpuBackend | undefined {
  return activeBackends().find((backend) => backend.name === 'gpu') as GpuBackend | undefined;
}

/** The traffic of the GPU in use; `undefined` where none is. */
export function gpuTraffic(): Pick<GpuBackend, 'traffic' | 'perStep' | 'lost'> | undefined {
  const gpu = activeGpu();
  return gpu && { traffic: gpu.traffic, perStep: gpu.perStep, lost: gpu.lost };
}
