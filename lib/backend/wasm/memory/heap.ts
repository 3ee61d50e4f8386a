/**
 * Gives out and takes back pieces of one WebAssembly memory, as malloc does: two-level segregated fit (Masmano et
 * al., "TLSF", 2004). Free blocks wait in bins by size, eight bins to each power of two; a block that is taken is
 * cut to size, and one that comes back is joined with free neighbours. The records lie on the JS side.
 */

export interface Block {
  readonly pointer: number;
  size: number;
  free: boolean;
  /** Neighbours in the memory. */
  before: Block | undefined;
  after: Block | undefined;
  /** Neighbours in the bin of free blocks. */
  previous: Block | undefined;
  next: Block | undefined;
}

const PAGE = 65536;
/** Every block begins and ends on a cache line, so that threads do not share one by accident. */
const LINE = 64;
/** Kernels read whole vectors and may look a little past an operand: the end of the memory is never given out. */
const GUARD = LINE;
/** Memory is added at least this much at a time. */
const GROWTH = 32 << 20;
const MAX_PAGES = 65536;
/** Blocks of the bin just below that are looked at for one that is large enough. */
const MOST_LOOKS = 16;

/** The bin of blocks of `size` bytes: sizes of one bin differ by an eighth at most. */
function binOf(size: number): number {
  const lines = size / LINE;
  if (lines < 8) return lines;
  const log2 = 31 - Math.clz32(lines);
  return (log2 - 2) * 8 + ((lines >>> (log2 - 3)) & 7);
}

/** The first bin all of whose blocks have at least `size` bytes. */
function binAbove(size: number): number {
  const lines = size / LINE;
  if (lines < 8) return lines;
  const step = 1 << (31 - Math.clz32(lines) - 3);
  return binOf(Math.ceil(lines / step) * step * LINE);
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  /** The memory as it is now: another object after each growth, over the same bytes. V8 takes long to answer `memory.buffer`. */
  buffer: ArrayBufferLike;
  /** Bytes given out now, and the most that ever were. */
  bytesInUse = 0;
  peakBytes = 0;
  readonly #bins: (Block | undefined)[] = new Array(30 * 8).fill(undefined);
  /** What the memory may grow to. */
  readonly limitBytes: number;
  readonly #limitPages: number;
  #pages: number;
  #last: Block | undefined;

  /** Gives out what lies above the first `reserved` bytes of the memory. */
  constructor(memory: WebAssembly.Memory, reserved: number, limitPages = MAX_PAGES) {
    this.memory = memory;
    this.buffer = memory.buffer;
    this.#limitPages = limitPages;
    this.limitBytes = limitPages * PAGE;
    this.#pages = this.buffer.byteLength / PAGE;
    this.#add(reserved, this.#pages * PAGE - GUARD - reserved);
  }

  /** A block of at least `bytes`, or `undefined` when there is none. `grow` false: only from what is there already. */
  take(bytes: number, grow = true): Block | undefined {
    const size = Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
    const block = this.#find(size) ?? (grow && this.#grow(size) ? this.#find(size) : undefined);
    if (!block) return undefined;
    this.#unlink(block);
    if (block.size - size >= LINE) {
      const rest = newBlock(block.pointer + size, block.size - size, block, block.after);
      if (block.after) block.after.before = rest;
      else this.#last = rest;
      block.after = rest;
      block.size = size;
      this.#link(rest);
    }
    this.bytesInUse += block.size;
    if (this.bytesInUse > this.peakBytes) this.peakBytes = this.bytesInUse;
    return block;
  }

  give(block: Block): void {
    this.bytesInUse -= block.size;
    const { before, after } = block;
    let merged = block;
    if (after?.free) {
      this.#unlink(after);
      this.#absorb(merged, after);
    }
    if (before?.free) {
      this.#unlink(before);
      this.#absorb(before, merged);
      merged = before;
    }
    this.#link(merged);
  }

  #find(size: number): Block | undefined {
    // A training loop asks for the same sizes again and again: one of those that came back fits best.
    let block = this.#bins[binOf(size)];
    for (let looks = 0; block && looks < MOST_LOOKS; looks++) {
      if (block.size >= size) return block;
      block = block.next;
    }
    for (let bin = binAbove(size); bin < this.#bins.length; bin++) {
      if (this.#bins[bin]) return this.#bins[bin];
    }
    return undefined;
  }

  #grow(size: number): boolean {
    const wanted = Math.ceil(Math.max(size + GUARD, GROWTH) / PAGE);
    const pages = Math.min(wanted, this.#limitPages - this.#pages);
    if (pages * PAGE < size) return false;
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    this.buffer = this.memory.buffer;
    const end = this.#pages * PAGE - GUARD;
    this.#pages += pages;
    this.#add(end, pages * PAGE);
    return true;
  }

  /** New memory, right behind the last block; pointer and size are multiples of a line. */
  #add(pointer: number, size: number): void {
    const block = newBlock(pointer, size, this.#last);
    if (this.#last) this.#last.after = block;
    this.#last = block;
    this.bytesInUse += size;
    this.give(block);
  }

  #absorb(block: Block, next: Block): void {
    block.size += next.size;
    block.after = next.after;
    if (next.after) next.after.before = block;
    else this.#last = block;
  }

  #link(block: Block): void {
    const bin = binOf(block.size);
    const head = this.#bins[bin];
    block.free = true;
    block.previous = undefined;
    block.next = head;
    if (head) head.previous = block;
    this.#bins[bin] = block;
  }

  #unlink(block: Block): void {
    block.free = false;
    if (block.previous) block.previous.next = block.next;
    else this.#bins[binOf(block.size)] = block.next;
    if (block.next) block.next.previous = block.previous;
    block.previous = block.next = undefined;
  }
}

function newBlock(pointer: number, size: number, before?: Block, after?: Block): Block {
  return { pointer, size, free: false, before, after, previous: undefined, next: undefined };
}
