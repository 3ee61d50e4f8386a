import { answerFromList, writtenStorages } from '../../effects.ts';
import type { DecliningKernels, Kernels } from '../../kernels.ts';
import { Storage } from '../../storage.ts';
import type { GpuKernels } from '../kernels/gpuKernels.ts';
import { type Args, isStrided } from './cpu.ts';
import { Decline, type Device } from './device.ts';
import type { Value } from './value.ts';
import { Verifier } from './verify.ts';

/** The kernels of the seam on top of the device: first results checked, and each put in its place. */
export function acceleratedKernels(device: Device, kernels: GpuKernels): DecliningKernels {
  const verifier = new Verifier();
  const table: Record<string, (...args: unknown[]) => unknown> = {};
  for (const name of Object.keys(kernels) as (keyof Kernels)[]) {
    const kernel = kernels[name] as ((device: Device, ...args: Args) => Value[] | undefined) | undefined;
    if (!kernel) continue;
    table[name] = (...args) => {
      const values = attempt(device, () => kernel(device, ...args), args);
      if (!values) return undefined;
      const wrong = verifier.check(device, name, args, values);
      if (wrong) device.giveUp(wrong);
      device.meter.note(name);
      return putInPlace(device, name, args, values);
    };
  }
  return table as DecliningKernels;
}

/** `undefined` for a case that the device leaves to the CPU. */
function attempt(device: Device, body: () => Value[] | undefined, args: Args): Value[] | undefined {
  if (args.some(isEmpty)) return undefined;
  try {
    return device.operation(body);
  } catch (error) {
    if (error instanceof Decline) return undefined;
    throw error;
  }
}

function isEmpty(arg: unknown): boolean {
  return isStrided(arg) && arg.shape.includes(0);
}

function putInPlace(device: Device, name: keyof Kernels, args: Args, values: readonly Value[]): unknown {
  const written = writtenStorages(name, args);
  if (written.length > 0) {
    for (const [i, storage] of written.entries()) {
      storage.writtenOnDevice(values[i]);
      device.place(values[i], storage);
    }
    return true;
  }
  const results = values.map((value) => {
    const storage = Storage.onDevice(value.dtype, value.length, value);
    device.place(value, storage);
    return storage;
  });
  return answerFromList(name, results);
}
