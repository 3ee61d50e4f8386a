import type { Storage } from '../storage.ts';
import type { Value } from './value.ts';

/** Garbage is looked for when this much has been allocated since the last time, or half of what is in use. */
const SWEEP_BYTES = 256 * 2 ** 20;
const SWEEP_VALUES = 4096;

interface Place {
  readonly storage: WeakRef<Storage>;
  readonly bytes: number;
  /** Was it written in place? Only such a storage's history grows from step to step. */
  readonly updated: boolean;
}

/** Which arrays are on the device and which storages they stand for, as long as somebody can reach those. */
export class Residents {
  readonly #collectGarbage: () => void;
  /** Storages in use that have a copy on the device, by the value's id. */
  readonly #places = new Map<number, Place>();
  /** Values that stay even if nobody can reach them: `true` once that is so. */
  readonly #held = new Map<number, boolean>();
  #bytes = 0;
  #sweepAt = SWEEP_BYTES;
  #sweepAtValues = SWEEP_VALUES;

  constructor(collectGarbage: () => void) {
    this.#collectGarbage = collectGarbage;
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

  /** Its storage lets go of the value. @returns whether its memory can be given back. */
  released(value: Value): boolean {
    this.#places.delete(value.id);
    if (this.#held.has(value.id)) {
      this.#held.set(value.id, true);
      return false;
    }
    this.#bytes -= value.length * 4;
    return true;
  }

  /** Keeps these on the device until `letGo`, whoever else needs them. */
  hold(values: readonly Value[]): void {
    for (const { id } of values) this.#held.set(id, false);
  }

  /** Ends `hold`. @returns the ids of those that were released in the meantime. */
  letGo(values: readonly Value[]): number[] {
    const released = values.filter(({ id }) => this.#held.get(id));
    for (const { id } of values) this.#held.delete(id);
    for (const { length } of released) this.#bytes -= length * 4;
    return released.map(({ id }) => id);
  }

  place(value: Value, storage: Storage, updated: boolean): void {
    this.#places.set(value.id, { storage: new WeakRef(storage), bytes: value.length * 4, updated });
  }

  /** The storages that are alive and have their numbers on the device. */
  storages(): Storage[] {
    const alive = [...this.#places.values()].map(({ storage }) => storage.deref());
    return alive.filter((storage) => storage?.deviceCopy('gpu')) as Storage[];
  }

  /** The values of living storages that were written in place. */
  updated(): Value[] {
    const places = [...this.#places.values()].filter(({ updated }) => updated);
    const values = places.map(({ storage }) => storage.deref()?.deviceCopy('gpu') as Value | undefined);
    return values.filter((value) => value !== undefined);
  }

  clear(): void {
    this.#places.clear();
  }

  /** JavaScript frees a tensor when it likes; the device's memory has to be given back sooner than that. */
  isSweepDue(): boolean {
    return this.#bytes >= this.#sweepAt || this.#places.size >= this.#sweepAtValues;
  }

  /** Forgets the values of storages that nobody can reach any more, and answers their ids. */
  sweep(): number[] {
    this.#collectGarbage();
    const dead: number[] = [];
    for (const [id, { storage, bytes }] of this.#places) {
      if (this.#held.has(id) || storage.deref()) continue;
      dead.push(id);
      this.#bytes -= bytes;
      this.#places.delete(id);
    }
    this.#sweepAt = Math.max(SWEEP_BYTES, 1.5 * this.#bytes);
    this.#sweepAtValues = Math.max(SWEEP_VALUES, 1.5 * this.#places.size);
    return dead;
  }
}
