import type { Collector } from '../../collector.ts';
import {
  type Allocator,
  BYTES_PER_ELEMENT,
  type ElementType,
  orTooLarge,
  type TypedArray,
} from '../../storage.ts';
import { macrotask } from '../../yieldToRuntime.ts';
import type { Block, Heap } from './heap.ts';

/**
 * Tensors' numbers in the kernels' own memory: a storage is a typed array over a block of the heap, so that kernels
 * read it where it lies and the loops of `js` work on the very same numbers.
 *
 * JavaScript has no destructors. When enough has been given out since the last time, the memory lets go of the typed
 * arrays that it gave out, but for a WeakRef to each, has the garbage collected, and takes back the blocks whose arrays
 * are gone: in Node in the middle of whatever runs (collect.node.ts), in a browser between two steps
 * (collect.browser.ts). Until then it holds the arrays themselves: to make a WeakRef takes V8 a microsecond, and most
 * arrays of a generated token are released before one is needed.
 *
 * Two rules follow. A part made with `subarray` does not keep a block alive: whoever keeps numbers keeps the storage.
 * And memory moves hands only inside `allocate`, `take` and `release`, never while a kernel runs.
 */

const MB = 2 ** 20;
/** Tensors may take this much of the memory; the rest is for packed panels and for copies of tensors from elsewhere. */
const TENSORS_SHARE = 7 / 8;
/**
 * Garbage is collected when the memory would have to grow, and this much has been given out since the last time: an
 * eighth of what lives, within these bounds. If that takes too large a share of the time, the lower bound is raised
 * for good: going back and forth would let the memory grow late in a run. Not in a browser: a page that waits a little
 * is better than one that grows when the machine happens to be busy.
 */
const LEAST_GARBAGE = 192 * MB;
const MOST_GARBAGE = 384 * MB;
const COLLECTION_SHARE = 0.04;
/**
 * Collections at one time between two steps, until little more is in use than after the last time: what dies while V8
 * marks stays for the next one. After the first they are thorough.
 */
const MOST_ROUNDS = 3;
const ENOUGH = 32 * MB;
/** What a tensor costs besides its numbers, and how many more than live may wait for a collection. */
const OVERHEAD = 256;
const MOST_TINY = 100_000;
/** Where memory is given back at once, as `tidy` does, garbage is collected when so much has been given out: V8 has the tensors' objects. */
const MOST_GIVEN = 50_000;

interface Entry {
  /** `undefined` while nothing begins there. */
  held: TypedArray | WeakRef<TypedArray> | undefined;
  block: Block;
}

const arrayIn = ({ held }: Entry) => (held instanceof WeakRef ? held.deref() : held);

export class TensorMemory implements Allocator {
  readonly heap: Heap;
  readonly #collector: Collector | undefined;
  readonly #mostTensors: number;
  readonly #buffers = new Set<ArrayBufferLike>();
  readonly #whenShort: (() => void)[] = [];
  readonly #whenCollected: (() => void)[] = [];
  /**
   * What was given out and not taken back, by its address. A place that is free again keeps its entry until the next collection,
   * since most are soon given out again: a Map from which as much is deleted as is set makes a table after the other, and each
   * dead one keeps the next alive until V8 looks through everything.
   */
  readonly #entries = new Map<number, Entry>();
  #living = 0;
  #givenSinceCollection = 0;
  #tensorBytes = 0;
  #sinceCollection = 0;
  /** Bytes in use after the last collection between steps. */
  #livingBytes = 0;
  /** Bytes in use after the last collection of everything. */
  #bytesAfterAll = 0;
  #leastGarbage = LEAST_GARBAGE;
  #limit = LEAST_GARBAGE;
  #mostLiving = MOST_TINY;
  #lastCollection = performance.now();

  constructor(heap: Heap, collector?: Collector) {
    this.heap = heap;
    this.#collector = collector;
    this.#mostTensors = TENSORS_SHARE * heap.limitBytes;
  }

  /**
   * Memory for a tensor's numbers. When it is full it comes from the JS heap instead, from where the kernels copy an
   * operand at each call: a model too large for the memory still runs, slowly.
   */
  allocate(dtype: ElementType, length: number, zero: boolean): TypedArray {
    const bytes = length * BYTES_PER_ELEMENT[dtype];
    if (this.#tensorBytes + bytes > this.#mostTensors) this.collect();
    const fits = bytes > 0 && this.#tensorBytes + bytes <= this.#mostTensors;
    const block = fits ? this.take(bytes) : undefined;
    if (!block) return orTooLarge(dtype, length, () => arrayOf(dtype, new ArrayBuffer(bytes), 0, length));
    const array = arrayOf(dtype, this.buffer(), block.pointer, length);
    if (zero) array.fill(0);
    const entry = this.#entries.get(block.pointer);
    if (!entry) this.#entries.set(block.pointer, { held: array, block });
    else {
      entry.held = array;
      entry.block = block;
    }
    this.#living++;
    this.#tensorBytes += block.size;
    return array;
  }

  /** Takes a tensor's memory back now. A part of an array has none of its own. */
  release(array: TypedArray): void {
    if (!this.holds(array)) return;
    const entry = this.#entries.get(array.byteOffset);
    if (entry && arrayIn(entry) === array) this.#takeBack(entry);
  }

  /** A block that the caller gives back to the heap; `undefined` when the memory is full of living things. */
  take(bytes: number): Block | undefined {
    const { heap } = this;
    this.#sinceCollection += bytes + OVERHEAD;
    this.#givenSinceCollection++;
    const collects = this.#collector?.withinJob ?? true;
    const tooMany = this.#living > this.#mostLiving || this.#givenSinceCollection > MOST_GIVEN;
    if (collects && tooMany) this.collect();
    let block = heap.take(bytes, false);
    if (!block && collects && this.#sinceCollection > this.#limit) {
      if (!this.#collectYoung()) this.collect();
      block = heap.take(bytes, false);
    }
    block ??= heap.take(bytes);
    if (!block) {
      this.collect();
      block = heap.take(bytes);
    }
    if (!block) {
      for (const giveUp of this.#whenShort) giveUp();
      block = heap.take(bytes);
    }
    return block;
  }

  /** To be called when memory is short, by whoever holds some that it can do without. */
  onShortage(giveUp: () => void): void {
    this.#whenShort.push(giveUp);
  }

  /** To be called when garbage has been collected, by whoever holds memory for things that may have died. */
  onCollection(look: () => void): void {
    this.#whenCollected.push(look);
  }

  /** Is this array in the kernels' memory? Then its `byteOffset` is its address. */
  holds(array: TypedArray): boolean {
    return this.#buffers.has(array.buffer);
  }

  /** The memory as it is now, remembered for `holds`. */
  buffer(): ArrayBufferLike {
    const { buffer } = this.heap;
    this.#buffers.add(buffer);
    return buffer;
  }

  /** Has garbage collected where that works only between jobs, if there is enough of it. */
  async betweenSteps(): Promise<void> {
    const collector = this.#collector;
    if (!collector || collector.withinJob) return;
    // After each step: where memory runs short within the next one, what V8 has collected by then can be taken back.
    this.#letGo();
    if (this.#sinceCollection <= this.#limit && this.#living <= this.#mostLiving) return;
    await macrotask(); // a WeakRef holds its array until the job in which it was made has ended
    const enough = 1.25 * this.#livingBytes + ENOUGH;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      collector.collect(round > 0);
      await macrotask();
      this.collect();
      // Checking whether an array is alive holds it until the job ends, and the next step is one job.
      await macrotask();
      if (this.heap.bytesInUse <= enough) break;
    }
    this.#livingBytes = this.heap.bytesInUse;
  }

  /** Takes back the blocks of arrays that nobody has any more. */
  collect(): void {
    const begin = performance.now();
    const withinJob = this.#collector?.withinJob ?? true;
    this.#letGo();
    if (withinJob) this.#collector?.collect();
    this.#takeBackTheDead();
    this.#sinceCollection = this.#givenSinceCollection = 0;
    this.#bytesAfterAll = this.heap.bytesInUse;
    const end = performance.now();
    const tooOften = withinJob && end - begin > COLLECTION_SHARE * (end - this.#lastCollection);
    if (tooOften) this.#leastGarbage = Math.min(MOST_GARBAGE, this.#limit * 2);
    this.#limit = Math.min(MOST_GARBAGE, Math.max(this.#leastGarbage, this.heap.bytesInUse / 8));
    this.#mostLiving = 2 * this.#living + MOST_TINY;
    this.#lastCollection = end;
  }

  /** Takes back the blocks of arrays that were made lately and that nobody has any more. Was that about as much as dies? */
  #collectYoung(): boolean {
    const collector = this.#collector;
    if (!collector?.withinJob || !collector.collectYoung) return false;
    this.#letGo();
    if (!collector.collectYoung()) return false;
    this.#takeBackTheDead();
    if (this.heap.bytesInUse > this.#bytesAfterAll + this.#limit / 2) return false;
    this.#sinceCollection = this.#givenSinceCollection = 0;
    return true;
  }

  #takeBackTheDead(): void {
    for (const [pointer, entry] of this.#entries) {
      if (entry.held && !arrayIn(entry)) this.#takeBack(entry);
      if (!entry.held) this.#entries.delete(pointer);
    }
    for (const look of this.#whenCollected) look();
  }

  /** From now on the arrays live only as long as somebody else has them. */
  #letGo(): void {
    for (const entry of this.#entries.values()) {
      if (entry.held && !(entry.held instanceof WeakRef)) entry.held = new WeakRef(entry.held);
    }
  }

  #takeBack(entry: Entry): void {
    entry.held = undefined;
    this.#living--;
    this.#tensorBytes -= entry.block.size;
    this.heap.give(entry.block);
  }
}

function arrayOf(dtype: ElementType, buffer: ArrayBufferLike, pointer: number, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(buffer, pointer, length);
  if (dtype === 'int32') return new Int32Array(buffer, pointer, length);
  return new Uint8Array(buffer, pointer, length);
}
