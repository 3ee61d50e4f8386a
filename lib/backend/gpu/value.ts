import type { DeviceCopy, DType, TypedArray } from '../storage.ts';
import type { Recipe } from './journal.ts';

/** What a value needs from the device that holds it. */
export interface Home {
  /** Brings the numbers to the host. */
  fetch(value: Value): TypedArray;
  /** Gives the value's memory on the device back. */
  release(value: Value): void;
}

/**
 * An array on the device. It never changes: a kernel that writes in place makes a new value, and the
 * storage points at that one. So a value's history stays true, and it can be computed again: see journal.ts.
 */
export class Value implements DeviceCopy {
  readonly backend = 'gpu';
  readonly id: number;
  readonly dtype: DType;
  readonly length: number;
  /** Did a kernel compute it, or was it only copied up? What was computed here is what it pays to stay for. */
  readonly computed: boolean;
  /** How to compute it again on the CPU, if the device is lost. Without one it is all zeros, or `host` is known. */
  recipe: Recipe | undefined;
  /** Which of the recipe's results it is. */
  place = 0;
  /** The numbers, where the host has them anyway. */
  host: TypedArray | undefined;
  /** Does `host` belong to a storage, which may write to it once it lets go of this value? */
  hostIsBorrowed = false;
  readonly #home: Home;

  constructor(home: Home, id: number, dtype: DType, length: number, computed: boolean) {
    this.#home = home;
    this.id = id;
    this.dtype = dtype;
    this.length = length;
    this.computed = computed;
  }

  read(): TypedArray {
    return this.#home.fetch(this);
  }

  /** Called by its storage, which may be about to write to the numbers on the host. */
  free(): void {
    this.#home.release(this);
  }

  /** Makes `host` its own: another value's history may still need the numbers as they are now. */
  keepHostCopy(): void {
    if (this.hostIsBorrowed) this.host = this.host!.slice();
    this.hostIsBorrowed = false;
  }
}
