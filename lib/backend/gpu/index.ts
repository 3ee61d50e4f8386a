import { activeBackends } from '../dispatch.ts';
import type { Backend } from '../kernels.ts';
import { acceleratedKernels } from './backend.ts';
import { Bridge, type SpawnWorker } from './bridge.ts';
import { GPU_MODES, type GpuMode } from './commands.ts';
import { Device } from './device.ts';
import { Journal } from './journal.ts';
import { offloadKernels, residentKernels } from './ops.ts';
import { selfTest } from './selfTest.ts';
import type { Traffic } from './traffic.ts';

export { GPU_MODES, type GpuMode } from './commands.ts';
export type { Traffic } from './traffic.ts';

export interface GpuOptions {
  /** Without one: the first of `webgpu`, `headlessgl` and `webgl2` that works here. */
  mode?: GpuMode;
  /** `false` sends only matrix products to the device; else all of a training step stays there. */
  residency?: boolean;
  /** Multiply-adds from which on a product whose operands are on the host goes to the device. */
  smallestProduct?: number;
  /** Takes every case that it can, whether or not it pays: for tests. */
  insists?: boolean;
  /** Makes JavaScript notice what nobody can reach any more, so that its memory on the device can be freed. */
  collectGarbage?: () => void;
  /** Where the one line goes that says that the device is of no use any more. */
  warn?: (line: string) => void;
  /** How a worker is started; the way of Node or of a browser if not given. */
  spawn?: SpawnWorker;
}

/** The GPU through gpu.js, as a backend; what only it can tell is beside the kernels. */
export interface GpuBackend extends Backend {
  readonly name: 'gpu';
  readonly mode: GpuMode;
  /** What the driver calls the device. */
  readonly device: string;
  /** Bytes up and down, waits, and kernels launched, so far. */
  readonly traffic: Readonly<Traffic>;
  /** The same for one training step, the median of those so far. */
  readonly perStep: Readonly<Traffic> | undefined;
  /** Arrays on the device at present, and their bytes. */
  readonly values: number;
  readonly bytes: number;
  /** Why it is not used any more, if so. */
  readonly lost: string | undefined;
  /** Multiply-adds from which on a product whose operands are on the host goes to the device. */
  smallestProduct: number;
  /** Waits until all that was asked so far is done. */
  synchronise(): void;
  /** Frees the arrays that nobody can reach any more. It happens by itself; tests want it at once. */
  sweep(): void;
  /** Breaks the device, or kills its worker, as may happen in the middle of a run: for tests. */
  lose(what: 'device' | 'worker'): void;
  close(): void;
}

const REAL_MODES: readonly GpuMode[] = GPU_MODES.filter((mode) => mode !== 'webasm' && mode !== 'cpu');
/** About where the way over the bus costs as much as a CPU's product. */
const SMALLEST_PRODUCT = 2 ** 21;

/**
 * Opens the GPU. A missing driver or package is no error: the answer then is the reason, in one line.
 * @throws if the mode does not exist.
 */
export async function createGpuBackend(
  options: GpuOptions = {},
): Promise<GpuBackend | { unavailable: string }> {
  const { mode } = options;
  if (mode !== undefined && !GPU_MODES.includes(mode)) {
    throw new RangeError(`gpu mode '${mode}' is not known: expected one of ${GPU_MODES.join(', ')}`);
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
  const spawn = options.spawn ?? (await spawnHere());
  const bridge = await Bridge.open(mode, spawn);
  if ('unavailable' in bridge) return bridge;
  const { residency = true, warn = console.warn } = options;
  const collectGarbage = options.collectGarbage ?? (await collectorHere());
  let ready = false;
  const device = new Device(bridge, new Journal(), {
    residency,
    insists: options.insists ?? false,
    smallestProduct: options.insists ? 0 : (options.smallestProduct ?? SMALLEST_PRODUCT),
    collectGarbage,
    onLoss: (reason) => {
      if (ready) warn(`gpu (${mode}) is not used any more: ${reason}. The CPU goes on.`);
    },
  });
  const wrong = selfTest(device);
  if (wrong) {
    bridge.close();
    return { unavailable: wrong };
  }
  Object.assign(bridge.traffic, { bytesUp: 0, bytesDown: 0, waits: 0, launches: 0 });
  ready = true;
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
    sweep: () => device.sweep(),
    lose: (what) => bridge.lose(what),
    close: () => device.close(),
  };
}

/** The GPU in use, if one is. */
export function activeGpu(): GpuBackend | undefined {
  return activeBackends().find((backend) => backend.name === 'gpu') as GpuBackend | undefined;
}

const IS_NODE = 'process' in globalThis;

async function spawnHere(): Promise<SpawnWorker> {
  if (IS_NODE) return (await import('./spawn.node.ts')).spawnNodeWorker;
  return (await import('./spawn.browser.ts')).spawnBrowserWorker;
}

/** A collection that also works in the middle of a training loop; nothing where the runtime has none. */
async function collectorHere(): Promise<() => void> {
  // A browser has one with a flag only. Without it the memory comes back between the jobs: see spawn.browser.ts.
  if (!IS_NODE) return (globalThis as { gc?: () => void }).gc ?? (() => {});
  const { createCollector } = await import('../wasm/collect.node.ts');
  return createCollector() ?? (() => {});
}
