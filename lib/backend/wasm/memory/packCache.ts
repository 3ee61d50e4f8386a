import type { Storage } from '../../storage.ts';
import type { Block } from './heap.ts';
import type { TensorMemory } from './tensorMemory.ts';

/**
 * Keeps the packed panels of matrices that come again unchanged: frozen weights, or all weights under evaluation. A
 * matrix is packed for good when it is seen for the second time with the same version of its storage, in the same
 * layout (forward and backward want different ones). The panels go when the storage changes or dies, and all of them
 * when memory is short.
 */

/** Panels kept in all, and the use of the memory above which no more are. */
const MOST_BYTES = 512 * 2 ** 20;
const MOST_IN_USE = 2304 * 2 ** 20;
/** Smaller matrices are packed in no time. */
const LEAST_ELEMENTS = 4096;

interface Known {
  readonly storage: WeakRef<Storage>;
  version: number;
  /** By layout: the panels, or `undefined` after one sighting. */
  readonly panels: Map<string, Block | undefined>;
}

export interface Packed {
  readonly address: number;
  /** Are the panels there already, or does the caller have to pack them to this address? */
  readonly ready: boolean;
}

export class PackCache {
  readonly #memory: TensorMemory;
  #known = new WeakMap<Storage, Known>();
  #holders = new Set<Known>();
  #bytes = 0;

  constructor(memory: TensorMemory) {
    this.#memory = memory;
    memory.onCollection(() => this.#forgetTheDead());
    memory.onShortage(() => this.clear());
  }

  /** Where the panels of a matrix are kept or will be; `undefined` if they are not to be kept. */
  find(storage: Storage, layout: readonly number[], elements: number, bytes: number): Packed | undefined {
    if (elements < LEAST_ELEMENTS) return undefined;
    const known = this.#sighting(storage);
    const key = layout.join();
    const block = known.panels.get(key);
    if (block) return { address: block.pointer, ready: true };
    const { heap } = this.#memory;
    if (!known.panels.has(key)) {
      known.panels.set(key, undefined);
      return undefined;
    }
    if (this.#bytes + bytes > MOST_BYTES || heap.bytesInUse + bytes > MOST_IN_USE) return undefined;
    const fresh = heap.take(bytes);
    if (!fresh) return undefined;
    known.panels.set(key, fresh);
    this.#bytes += fresh.size;
    this.#holders.add(known);
    return { address: fresh.pointer, ready: false };
  }

  /** Gives up all panels. */
  clear(): void {
    for (const known of this.#holders) this.#drop(known);
    this.#known = new WeakMap();
  }

  #sighting(storage: Storage): Known {
    let known = this.#known.get(storage);
    if (!known) {
      known = { storage: new WeakRef(storage), version: storage.version, panels: new Map() };
      this.#known.set(storage, known);
    } else if (known.version !== storage.version) {
      this.#drop(known);
      known.version = storage.version;
    }
    return known;
  }

  #drop(known: Known): void {
    for (const block of known.panels.values()) {
      if (!block) continue;
      this.#bytes -= block.size;
      this.#memory.heap.give(block);
    }
    known.panels.clear();
    this.#holders.delete(known);
  }

  #forgetTheDead(): void {
    for (const known of this.#holders) if (!known.storage.deref()) this.#drop(known);
  }
}
