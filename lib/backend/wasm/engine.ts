import { UserError } from '../../errors.ts';
import type { Strided } from '../kernels.ts';
import { type ElementType, Storage, type TypedArray } from '../storage.ts';
import type { Block } from './memory/heap.ts';
import { PackCache } from './memory/packCache.ts';
import type { TensorMemory } from './memory/tensorMemory.ts';
import {
  ARGUMENTS,
  type Arguments,
  FINGERPRINT,
  JOBS,
  type JobName,
  type KernelVariant,
  LAYOUTS,
  type Place,
  panelColumns,
  placesOf,
  regionOf,
  SCRATCH,
} from './protocol.ts';

/** What assembly/index.ts exports. */
export interface WasmExports {
  run(kind: number, tasks: number, threaded: boolean): void;
  work(id: number): void;
  allow(threads: number): void;
  /** Where the kernels' constants end. */
  constantsEnd(): number;
  /** So many rounds of the product's tile, and of as many sums in vectors of 128 bits. */
  timeTile(rounds: number, at: number): void;
  timeSums(rounds: number, at: number): number;
  /** Which protocol.ts the kernels were built with. */
  fingerprint?(): number;
}

/** A job as the host writes it down: its number, and where its arguments go. */
interface JobPlan {
  readonly kind: number;
  readonly places: readonly Place[];
}

const PLANS = {} as Record<JobName, JobPlan>;
for (const [kind, job] of (Object.keys(JOBS) as JobName[]).entries()) {
  PLANS[job] = { kind, places: placesOf(LAYOUTS[JOBS[job]]) };
}
const ARGUMENT_WORDS = 128;

/**
 * Runs jobs of the wasm kernels: gives them addresses for storages, wherever their numbers are, and writes their
 * arguments.
 */
export class Engine {
  /** Threads that work on the call in progress, this one among them. */
  threads = 1;
  /** Columns of a panel of B, as these kernels multiply them. */
  readonly panelColumns: number;
  readonly memory: TensorMemory;
  readonly packs: PackCache;
  /** The words of a job's arguments, as integers (addresses, sizes) and as floats. */
  readonly #integers: Int32Array;
  readonly #floats: Float32Array;
  readonly #scratchWords: Int32Array;
  readonly #exports: WasmExports;
  readonly #startHelper: (id: number) => Promise<void>;
  #helpers = 0;
  #allowed = 0;
  readonly #scratch: Workspace;
  /** Where a product packs its B, and counts what of it has been handed out. */
  readonly panels: Workspace;
  readonly counters: Workspace;
  /** Copies of operands from elsewhere, for the call in progress; `home` is where a result has to go back. */
  readonly #borrowed: { block: Block; home?: TypedArray }[] = [];
  /** The operands of the call in progress: held here, they cannot be collected once their addresses are taken. */
  operands: unknown;

  constructor(
    variant: KernelVariant,
    exports: WasmExports,
    memory: TensorMemory,
    startHelper: (id: number) => Promise<void>,
  ) {
    if (exports.fingerprint?.() !== FINGERPRINT) {
      throw new UserError('the CPU engine was built from other sources than these: run `npm run build`');
    }
    this.#exports = exports;
    this.panelColumns = panelColumns(variant);
    this.memory = memory;
    this.packs = new PackCache(memory);
    this.#scratch = new Workspace(memory);
    this.panels = new Workspace(memory);
    this.counters = new Workspace(memory);
    this.#startHelper = startHelper;
    const region = regionOf(variant);
    this.#scratchWords = new Int32Array(memory.buffer(), region + SCRATCH, 2);
    this.#integers = new Int32Array(memory.buffer(), region + ARGUMENTS, ARGUMENT_WORDS);
    this.#floats = new Float32Array(memory.buffer(), region + ARGUMENTS, ARGUMENT_WORDS);
  }

  /** A new storage whose content is arbitrary. */
  empty(length: number, dtype: ElementType = 'float32'): Storage {
    return Storage.of(this.memory.allocate(dtype, length, false));
  }

  /** Memory for the call in progress. */
  borrow(bytes: number): number {
    const block = this.memory.take(bytes);
    if (!block) throw new Declined();
    this.#borrowed.push({ block });
    return block.pointer;
  }

  /** Where a storage's numbers can be read by a kernel: where they are, or in a copy for this call. */
  addressOf(storage: Storage): number {
    return this.#address(storage.data, false);
  }

  /** The address of a view's first element. */
  address(x: Strided): number {
    return this.addressOf(x.storage) + x.offset * x.storage.data.BYTES_PER_ELEMENT;
  }

  /** Where a kernel may write a new storage's numbers. */
  target(storage: Storage): number {
    return this.#address(storage.data, true);
  }

  /** Where a kernel may change a view's numbers: the address of its first element. */
  targetView(x: Strided): number {
    const data = x.storage.writable;
    return this.#address(data, true) + x.offset * data.BYTES_PER_ELEMENT;
  }

  /** Scratch memory of that many bytes for each thread. */
  scratch(bytesPerThread: number): void {
    const bytes = Math.ceil(bytesPerThread / 64) * 64;
    // Also for those that run but may not work at present: assembly/pool.ts says why.
    const threads = Math.max(this.threads, this.#helpers + 1);
    const pointer = this.#scratch.reserve(bytes * threads);
    this.#scratchWords.set([pointer, Math.floor(this.#scratch.bytes / threads / 64) * 64]);
  }

  /** Runs a job of that many tasks, on all threads or only on this one. */
  run<Job extends JobName>(job: Job, args: Arguments<Job>, tasks: number, threaded: boolean): void {
    const { kind, places } = PLANS[job];
    this.#write(places, args as Readonly<Record<string, number | readonly number[]>>);
    const helped = threaded && tasks > 1 && this.threads > 1;
    if (helped && this.#allowed !== this.threads) {
      this.#exports.allow(this.threads);
      this.#allowed = this.threads;
      // This is not awaited: until they run, this thread does their tasks.
      void this.start(this.threads);
    }
    this.#exports.run(kind, tasks, helped);
  }

  /** Starts the helping threads that are still missing for this many threads. Resolves when they run. */
  async start(threads: number): Promise<void> {
    const starting: Promise<void>[] = [];
    while (this.#helpers < threads - 1) starting.push(this.#startHelper(++this.#helpers));
    await Promise.all(starting);
  }

  /** Gives back what was borrowed; results go home. */
  giveBack(): void {
    for (const { block, home } of this.#borrowed.splice(0)) {
      if (home) bytesOf(home).set(new Uint8Array(this.memory.buffer(), block.pointer, home.byteLength));
      this.memory.heap.give(block);
    }
  }

  /** Ends a kernel call. */
  finish(): void {
    if (this.#borrowed.length > 0) this.giveBack();
    this.operands = undefined;
  }

  #write(places: readonly Place[], args: Readonly<Record<string, number | readonly number[]>>): void {
    const integers = this.#integers;
    for (let i = 0; i < places.length; i++) {
      const { name, type, at } = places[i];
      const value = args[name];
      if (typeof value === 'number') {
        if (type === 'f32') this.#floats[at] = value;
        else integers[at] = value;
      } else {
        // A loop: `set` would take longer for so few.
        for (let j = 0; j < value.length; j++) integers[at + j] = value[j];
      }
    }
  }

  #address(data: TypedArray, write: boolean): number {
    if (this.memory.holds(data)) return data.byteOffset;
    const block = this.memory.take(data.byteLength);
    if (!block) throw new Declined();
    this.#borrowed.push({ block, home: write ? data : undefined });
    new Uint8Array(this.memory.buffer(), block.pointer, data.byteLength).set(bytesOf(data));
    return block.pointer;
  }
}

/**
 * Memory kept from call to call, as large as the largest demand: its pages have been touched, and what is written there
 * is in the cache when it is read.
 */
class Workspace {
  bytes = 0;
  readonly #memory: TensorMemory;
  #block: Block | undefined;

  constructor(memory: TensorMemory) {
    this.#memory = memory;
  }

  /** The address of at least that many bytes; what was there is lost. */
  reserve(bytes: number): number {
    if (!this.#block || bytes > this.bytes) {
      if (this.#block) this.#memory.heap.give(this.#block);
      this.bytes = 0;
      this.#block = this.#memory.take(bytes);
      if (!this.#block) throw new Declined();
      this.bytes = this.#block.size;
    }
    return this.#block.pointer;
  }
}

/**
 * Thrown if a kernel finds on the way that it cannot do a call: no room even for its copies, or too many
 * dimensions.
 */
export class Declined extends Error {}

function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
