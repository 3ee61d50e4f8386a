import { UserError } from '../errors.ts';

/**
 * A storage holds the numbers of one or more tensors: on the host, on a device, or both.
 *
 * A device backend returns storages that are only on the device; the host copy is made when somebody
 * reads `data` (printing, `item()`, a kernel that only the CPU has). Tensors, the graph and the modules
 * never know where the numbers are.
 */

/** The types of a tensor's elements. Bools are bytes, 0 or 1. */
export type DType = 'float32' | 'int32' | 'bool';

/** The same, and bytes of any value: the blocks of a quantised matrix, which only the library itself reads. */
export type ElementType = DType | 'uint8';

export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** Bytes that one element of each type takes. */
export const BYTES_PER_ELEMENT: Record<ElementType, number> = { float32: 4, int32: 4, bool: 1, uint8: 1 };

/** Is each element a byte? Fast kernels work on elements of four bytes. */
export function isBytes({ dtype }: Pick<Storage, 'dtype'>): boolean {
  return BYTES_PER_ELEMENT[dtype] === 1;
}

/** A copy of a storage's numbers that lives elsewhere, e.g. in a GPU buffer, or still in a file. */
export interface DeviceCopy {
  /** The name of the backend that owns the copy. */
  readonly backend: string;
  /** Waits for the device and brings the numbers to the host. */
  read(): TypedArray;
  /** Brings them straight to an array of the same kind and length, where the copy can do that. */
  readInto?(target: TypedArray): void;
  /** Gives the device memory back. */
  free(): void;
}

export interface Allocator {
  /** Gives zero-filled (or, with `zero` false, arbitrary) host memory for `length` elements. */
  allocate(dtype: ElementType, length: number, zero: boolean): TypedArray;
  /** Takes memory back, if it is the allocator's own, before the runtime finds that nobody has it any more. */
  release(array: TypedArray): void;
}

const onTheJsHeap: Allocator = {
  allocate(dtype, length) {
    if (dtype === 'float32') return new Float32Array(length);
    if (dtype === 'int32') return new Int32Array(length);
    return new Uint8Array(length);
  },
  release() {},
};

let allocator: Allocator = onTheJsHeap;

function allocate(dtype: ElementType, length: number, zero: boolean): TypedArray {
  return orTooLarge(dtype, length, () => allocator.allocate(dtype, length, zero));
}

/** What `make` takes memory for. @throws UserError if it is not there */
export function orTooLarge<T>(dtype: ElementType, length: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const gigabytes = ((length * BYTES_PER_ELEMENT[dtype]) / 1e9).toFixed(1);
    throw new UserError(`a tensor of ${length} elements does not fit into memory: it takes ${gigabytes} GB`);
  }
}

/** Chooses where new host memory comes from: a backend may want it in its own heap. `null` is the JS heap. */
export function setAllocator(next: Allocator | null): void {
  allocator = next ?? onTheJsHeap;
}

export class Storage {
  readonly dtype: ElementType;
  readonly length: number;
  /** Grows with every write in place, so that whoever keeps a copy can tell that it is out of date. */
  version = 0;
  #host: TypedArray | undefined;
  #device: DeviceCopy | undefined;
  #released = false;

  private constructor(
    dtype: ElementType,
    length: number,
    host: TypedArray | undefined,
    device: DeviceCopy | undefined,
  ) {
    this.dtype = dtype;
    this.length = length;
    this.#host = host;
    this.#device = device;
  }

  /** Wraps a typed array without copying it. Float32Array is float32, Int32Array int32, Uint8Array bool. */
  static of(data: TypedArray): Storage {
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool';
    return new Storage(dtype, data.length, data, undefined);
  }

  /** All zero. The memory is only taken when somebody looks: a device makes its own zeros. */
  static zeros(dtype: ElementType, length: number): Storage {
    return new Storage(dtype, length, undefined, undefined);
  }

  /** New host memory whose content is arbitrary: for kernels that write every element. */
  static empty(dtype: ElementType, length: number): Storage {
    return new Storage(dtype, length, allocate(dtype, length, false), undefined);
  }

  /** A storage whose numbers are on a device only, until somebody reads `data`. */
  static onDevice(dtype: ElementType, length: number, device: DeviceCopy): Storage {
    return new Storage(dtype, length, undefined, device);
  }

  /** The numbers on the host, to read. Brings them from the device the first time. */
  get data(): TypedArray {
    if (this.#released) {
      throw new UserError(
        "the numbers of this tensor's memory were given back, by backward() or at the end of tidy(): return the tensor from " +
          'tidy, or clone it before',
      );
    }
    this.#host ??= this.#device?.read() ?? allocate(this.dtype, this.length, true);
    return this.#host;
  }

  /** The numbers on the host, to write: a device copy, out of date from now on, is dropped. */
  get writable(): TypedArray {
    const host = this.data;
    this.version++;
    this.#device?.free();
    this.#device = undefined;
    return host;
  }

  /** Writes the numbers to an array of the same kind and length; what is elsewhere takes no room on the host meanwhile. */
  copyTo(target: TypedArray): void {
    if (!this.#host && this.#device?.readInto) this.#device.readInto(target);
    else target.set(this.data);
  }

  /** Can the host read it without waiting for a device? */
  get isOnHost(): boolean {
    return this.#host !== undefined || this.#device === undefined;
  }

  /** Nobody has written or read since `zeros`, so there are no numbers anywhere yet. */
  get isUntouchedZeros(): boolean {
    return this.#host === undefined && this.#device === undefined && !this.#released;
  }

  /** The device copy, if the named backend holds one that is up to date. */
  deviceCopy(backend: string): DeviceCopy | undefined {
    return this.#device?.backend === backend ? this.#device : undefined;
  }

  /** Remembers that a device now has the same numbers as the host. */
  attachDeviceCopy(device: DeviceCopy): void {
    this.#device?.free();
    this.#device = device;
  }

  /** A device kernel has written these numbers in place: the host copy is out of date. */
  writtenOnDevice(device: DeviceCopy): void {
    this.version++;
    this.#device?.free();
    this.#device = device;
    this.#host = undefined;
  }

  /** Brings the numbers home and lets the device go, e.g. because it was lost or another backend was chosen. */
  leaveDevice(): void {
    if (this.#released) return;
    void this.data;
    this.#device?.free();
    this.#device = undefined;
  }

  /** Gives the host's memory back where a device, or a file, still has the same numbers. */
  releaseHost(): void {
    if (this.#device) this.#host = undefined;
  }

  /** Gives all memory back at once. For whoever made the storage and knows that nobody else will read it. */
  release(): void {
    if (this.#host) allocator.release(this.#host);
    this.#device?.free();
    this.#host = this.#device = undefined;
    this.#released = true;
  }

  // What ndarray asks of a container that is not a typed array.
  get(index: number): number {
    return this.data[index];
  }

  set(index: number, value: number): number {
    return (this.writable[index] = value);
  }
}
