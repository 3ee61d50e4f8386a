import type { DeviceCopy, ElementType, TypedArray } from '../../storage.ts';

/** What a value needs from the device that holds it. */
export interface Home {
  /** Brings the numbers to the host. @throws DeviceLostError */
  fetch(value: Value): TypedArray;
  /** Gives the value's memory on the device back. */
  release(value: Value): void;
}

/**
 * An array on the device. It never changes: a kernel that writes in place makes a new value, and the storage points
 * at that one.
 */
export class Value implements DeviceCopy {
  readonly backend = 'gpu';
  readonly id: number;
  readonly dtype: ElementType;
  readonly length: number;
  /** Did a kernel compute it, or was it only copied up? It pays to stay for what was computed here. */
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
