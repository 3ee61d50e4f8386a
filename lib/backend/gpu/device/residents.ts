import type { Collector } from '../../collector.ts';
import type { Storage } from '../../storage.ts';
import { macrotask } from '../../yieldToRuntime.ts';
import type { Value } from './value.ts';

/** Looks for garbage once this much has been allocated since the last look, or half of the memory in use. */
const SWEEP_BYTES = 256 * 2 ** 20;
const SWEEP_VALUES = 4096;

interface Place {
  readonly storage: WeakRef<Storage>;
  readonly bytes: number;
}

/** The arrays on the device, each with its storage, as long as somebody can reach that storage. */
export class Residents {
  readonly #collector: Collector | undefined;
  /** Storages in use that have a copy on the device, by the value's id. */
  readonly #places = new Map<number, Place>();
  #bytes = 0;
  #sweepAt = SWEEP_BYTES;
  #sweepAtValues = SWEEP_VALUES;

  constructor(collector: Collector | undefined) {
    this.#collector = collector;
  }

  get count(): number {
    return this.#places.size;
  }
  /** Bytes of all values, those of an operation in progress included. */
  get bytes(): number {
    return this.#bytes;
  }

  allocated(value: Value): void {
    this.#bytes += value.length * 4;
  }

  /** The value's storage lets go of it. */
  released(value: Value): void {
    this.#places.delete(value.id);
    this.#bytes -= value.length * 4;
  }

  place(value: Value, storage: Storage): void {
    this.#places.set(value.id, { storage: new WeakRef(storage), bytes: value.length * 4 });
  }

  /** The storages that are alive and have their numbers on the device. */
  storages(): Storage[] {
    const alive = [...this.#places.values()].map(({ storage }) => storage.deref());
    return alive.filter((storage) => storage?.deviceCopy('gpu')) as Storage[];
  }

  clear(): void {
    this.#places.clear();
  }

  /** JavaScript frees a tensor at a time of its own choice. The device's memory has to be given back sooner. */
  isSweepDue(): boolean {
    return this.#bytes >= this.#sweepAt || this.#places.size >= this.#sweepAtValues;
  }

  /** Can garbage be collected in the middle of running code? If not, sweeps wait for the time between two steps. */
  get sweepsWithinJob(): boolean {
    return this.#collector?.withinJob ?? true;
  }

  /** Forgets the values of storages that nobody can reach any more, and returns their ids. */
  sweep(): number[] {
    if (this.sweepsWithinJob) this.#collector?.collect();
    const dead: number[] = [];
    for (const [id, { storage, bytes }] of this.#places) {
      if (storage.deref()) continue;
      dead.push(id);
      this.#bytes -= bytes;
      this.#places.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_BYTES, 1.5 * this.#bytes);
    this.#sweepAtValues = Math.max(SWEEP_VALUES, 1.5 * this.#places.size);
    return dead;
  }

  /** Has garbage collected, where that works only between jobs, for the next sweep to find. */
  async collectBetweenSteps(): Promise<void> {
    this.#collector?.collect();
    await macrotask();
  }
}
