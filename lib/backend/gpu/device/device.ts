import type { Collector } from '../../collector.ts';
import type { ElementType } from '../../storage.ts';
import { Storage, type TypedArray } from '../../storage.ts';
import { macrotask } from '../../yieldToRuntime.ts';
import { kernelFunction } from '../kernels/kernelFunction.ts';
import { DeviceLostError } from '../lost.ts';
import type { Argument, GpuMode, KernelDefinition } from '../protocol.ts';
import type { Bridge } from './bridge.ts';
import { Residents } from './residents.ts';
import { StepMeter } from './traffic.ts';
import { type Home, Value } from './value.ts';

/** A kernel function's argument: a value under the sizes [x], [x, y] or [x, y, z]; or a number. */
export type LaunchArgument = number | { readonly value: Value; readonly size: readonly number[] };

/** Thrown by an operation that leaves a case to the CPU. */
export class Decline extends Error {}

const fillZeros = kernelFunction('fillZeros', [], 'function () { return 0; }');

/** Integers travel as float32, which holds every integer up to this one. */
const LARGEST_INTEGER = 2 ** 24;
/** Reads go through shared memory of about this size. */
const READ_BYTES = 2 ** 26;

export interface DeviceOptions {
  readonly residency: boolean;
  readonly smallestProduct: number;
  /** Whether to take every case, wherever the operands are. */
  readonly insists: boolean;
  /** Has JavaScript collect the storages that nobody can reach any more. */
  readonly collector: Collector | undefined;
}

/** The device as the main thread sees it: its arrays, the storages that they belong to, and the ways to use them. */
export class Device implements Home {
  readonly bridge: Bridge;
  /** Do all results stay on the device until somebody reads them, or does the device compute products alone? */
  readonly residency: boolean;
  /** A product of at least this many multiply-adds is worth carrying operands from the host, and the result back. */
  smallestProduct: number;
  readonly meter: StepMeter;
  readonly #residents: Residents;
  readonly #kernels = new Map<KernelDefinition, number>();
  readonly #insists: boolean;
  #launched: Value[] = [];
  #nextId = 1;

  constructor(bridge: Bridge, options: DeviceOptions) {
    this.bridge = bridge;
    this.meter = new StepMeter(bridge.traffic);
    this.residency = options.residency;
    this.smallestProduct = options.smallestProduct;
    this.#insists = options.insists;
    this.#residents = new Residents(options.collector);
  }

  get mode(): GpuMode {
    return this.bridge.mode;
  }
  /** Arrays on the device. */
  get values(): number {
    return this.#residents.count;
  }
  /** Bytes of the arrays on the device. */
  get bytes(): number {
    return this.#residents.bytes;
  }
  /** Why the device can no longer be used, if so. */
  get lost(): string | undefined {
    return this.bridge.lost;
  }

  /**
   * Was one of these computed on the device? Then the next operation belongs there too: bringing the operand home would mean
   * waiting. An operand that was only copied there, such as a frozen weight, is not a reason by itself.
   */
  wants(...operands: readonly ({ readonly storage: Storage } | undefined)[]): boolean {
    if (!this.residency) return false;
    if (this.#insists) return true;
    return operands.some((operand) => (operand?.storage.deviceCopy('gpu') as Value | undefined)?.computed);
  }

  // ── values ──

  /** The storage's numbers on the device, copied there unless it has them. */
  valueOf(storage: Storage): Value {
    const there = storage.deviceCopy('gpu') as Value | undefined;
    if (there) return there;
    if (storage.isUntouchedZeros) return this.#zerosFor(storage);
    this.#refuseBeyondLimits([storage.length], 1);
    const floats = asFloats(storage.data);
    const value = this.#newValue(storage.dtype, storage.length, false);
    this.bridge.upload(value.id, floats);
    this.place(value, storage);
    storage.attachDeviceCopy(value);
    return value;
  }

  #zerosFor(storage: Storage): Value {
    const value = this.launch(fillZeros, [storage.length], [], storage.dtype);
    this.#launched = this.#launched.filter((launched) => launched !== value);
    this.place(value, storage);
    storage.attachDeviceCopy(value);
    return value;
  }

  /** Notes that the storage holds the value, for as long as it lives. */
  place(value: Value, storage: Storage): void {
    this.#residents.place(value, storage);
  }

  /** Runs a kernel function once for each cell of `output` ([x], [x, y] or [x, y, z]). */
  launch(
    kernel: KernelDefinition,
    output: readonly number[],
    args: readonly LaunchArgument[],
    dtype: ElementType = 'float32',
  ): Value {
    this.#refuseBeyondLimits(output, kernel.width);
    let id = this.#kernels.get(kernel);
    if (id === undefined) {
      this.#kernels.set(kernel, (id = this.#kernels.size));
      this.bridge.define(id, kernel);
    }
    const length = output.reduce((product, size) => product * size, kernel.width as number);
    const value = this.#newValue(dtype, length, true);
    const sent = args.map(
      (arg): Argument => (typeof arg === 'number' ? arg : { value: arg.value.id, size: arg.size }),
    );
    this.bridge.run(id, output, sent, value.id);
    this.#launched.push(value);
    return value;
  }

  /** @throws Decline for an output that the device cannot hold: the CPU can. */
  #refuseBeyondLimits([x, y = 1, z = 1]: readonly number[], width: number): void {
    const { length, side, depth } = this.bridge.limits;
    const tooLong = x * y * z * width > length;
    if (tooLong || z > depth || (y * z > 1 && Math.max(x, y) > side)) throw new Decline();
  }

  /** Waits until the device has done everything that was asked of it. @throws DeviceLostError */
  synchronise(): void {
    const value = this.#newValue('float32', 1, false);
    this.bridge.upload(value.id, new Float32Array(1));
    this.fetch(value);
    this.release(value);
  }

  /**
   * Runs one operation. At its end the values that it launched and does not return are freed.
   * @throws DeviceLostError if the device is known to be lost
   */
  operation(body: () => Value[] | undefined): Value[] | undefined {
    if (this.lost) throw lostError(this.lost);
    if (this.#residents.sweepsWithinJob && this.#residents.isSweepDue()) this.sweep();
    this.#launched = [];
    let results: Value[] = [];
    try {
      return (results = body() ?? []).length > 0 ? results : undefined;
    } finally {
      for (const value of this.#launched) if (!results.includes(value)) this.release(value);
      this.#launched = [];
    }
  }

  #newValue(dtype: ElementType, length: number, computed: boolean): Value {
    const value = new Value(this, this.#nextId++, dtype, length, computed);
    this.#residents.allocated(value);
    return value;
  }

  // ── Home ──

  fetch(value: Value): TypedArray {
    return this.fetchAll([value])[0];
  }

  /** Brings several values home, with one wait unless they are very large. @throws DeviceLostError */
  fetchAll(values: readonly Value[]): TypedArray[] {
    const found: TypedArray[] = [];
    for (const group of groupsOf(values, READ_BYTES / 4)) {
      if (this.lost) throw lostError(this.lost);
      const ids = group.map((value) => value.id);
      const length = group.reduce((sum, value) => sum + value.length, 0);
      const floats = this.bridge.read(ids, length);
      if (!floats) throw lostError(this.lost);
      let at = 0;
      for (const value of group) {
        const { data } = Storage.empty(value.dtype, value.length);
        data.set(floats.subarray(at, (at += value.length)));
        found.push(data);
      }
    }
    return found;
  }

  release(value: Value): void {
    this.#residents.released(value);
    if (!this.lost) this.bridge.free([value.id]);
  }

  // ── the end ──

  /** Leaves the device for good: numbers that are only there can no longer be trusted or read. @throws DeviceLostError always */
  giveUp(reason: string): never {
    this.bridge.close(reason);
    throw lostError(reason);
  }

  /** Brings all values home and stops the worker. Values on a lost device stay lost. */
  close(): void {
    if (!this.lost) for (const storage of this.#residents.storages()) storage.leaveDevice();
    this.#residents.clear();
    this.bridge.close('it was closed');
  }

  /** Frees the values of storages that nobody can reach any more. */
  sweep(): void {
    const dead = this.#residents.sweep();
    if (dead.length > 0 && !this.lost) this.bridge.free(dead);
  }

  /** The same where garbage is collected only between jobs, if there is enough of it. */
  async betweenSteps(): Promise<void> {
    if (!this.#residents.sweepsWithinJob && this.#residents.isSweepDue()) await this.sweepBetweenSteps();
  }

  async sweepBetweenSteps(): Promise<void> {
    await this.#residents.collectBetweenSteps();
    this.sweep();
    // Whoever asks whether a storage is alive keeps it alive until the job ends, and the next step is one job.
    await macrotask();
  }
}

function lostError(reason: string | undefined): DeviceLostError {
  return new DeviceLostError(
    `the GPU is lost: ${reason}; go on from the last checkpoint with useBackend('wasm')`,
  );
}

function asFloats(data: TypedArray): Float32Array<ArrayBuffer> {
  if (data instanceof Int32Array && data.some((x) => Math.abs(x) > LARGEST_INTEGER)) throw new Decline();
  return Float32Array.from(data);
}

/** Consecutive values whose lengths add up to no more than that, or single ones beyond it. */
function groupsOf(values: readonly Value[], length: number): Value[][] {
  const groups: Value[][] = [];
  let room = 0;
  for (const value of values) {
    if (value.length > room) {
      groups.push([]);
      room = length;
    }
    groups.at(-1)!.push(value);
    room -= value.length;
  }
  return groups;
}
