import type { DeviceCopy, ElementType, TypedArray } from '../../storage.ts';

/** The part of a device that its values need. */
export interface Home {
  /** Brings the numbers to the host. @throws DeviceLostError */
  fetch(value: Value): TypedArray;
  /** Gives the value's memory on the device back. */
  release(value: Value): void;
}

/**
 * An array on the device. A value never changes: a kernel that writes in place makes a new one, and the storage points at
 * the new one.
 */
export class Value implements DeviceCopy {
  readonly backend = 'gpu';
  readonly id: number;
  readonly dtype: ElementType;
  readonly length: number;
  /** Did a kernel compute the value, or was it only copied up? Work on a computed value stays on the device. */
  readonly computed: boolean;
  readonly #home: Home;

  constructor(home: Home, id: number, dtype: ElementType, length: number, computed: boolean) {
    this.#home = home;
    this.id = id;
    this.dtype = dtype;
    this.length = length;
    this.computed = computed;
  }

  read(): TypedArray {
    return this.#home.fetch(this);
  }

  free(): void {
    this.#home.release(this);
  }
}
