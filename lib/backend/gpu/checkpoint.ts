import type { TypedArray } from '../storage.ts';
import { cutHistory, type Journal } from './journal.ts';
import type { Residents } from './residents.ts';
import type { Value } from './value.ts';

/**
 * Kernels after which histories are cut off again, some twenty-five steps of a small model, and one more for
 * each so many bytes to bring home.
 */
const KERNELS_BETWEEN = 2 ** 14;
const BYTES_PER_LATER = 2 ** 15;
/** What one read brings home besides its own numbers: this much, or more for a model that would need more reads. */
const PORTION_BYTES = 2 ** 16;
const MOST_PORTIONS = 40;

/**
 * Cuts the histories of what is updated in place (see journal.ts) by bringing it home: all as it was at one
 * moment, since each parameter's history leads into all the others', but a little with every read, so that no
 * step moves much. A read is the time for it because the caller waits then anyway.
 */
export class Checkpoint {
  readonly #journal: Journal;
  readonly #residents: Residents;
  /** Values of that moment that are still to be brought home. Until then the device keeps them. */
  #toBringHome: Value[] = [];
  #portionBytes = PORTION_BYTES;
  #nextAt = KERNELS_BETWEEN;

  constructor(journal: Journal, residents: Residents) {
    this.#journal = journal;
    this.#residents = residents;
  }

  /** Is the next moment to hold on to here? */
  isDue(): boolean {
    return this.#toBringHome.length === 0 && this.#journal.length >= this.#nextAt;
  }

  /** Holds on to what is updated in place as it is now. */
  begin(): void {
    const values = this.#residents.updated().filter((value) => value.recipe);
    const bytes = values.reduce((sum, value) => sum + value.length * 4, 0);
    this.#residents.hold(values);
    this.#toBringHome = values;
    this.#portionBytes = Math.max(PORTION_BYTES, bytes / MOST_PORTIONS);
    this.#nextAt = this.#journal.length + KERNELS_BETWEEN + bytes / BYTES_PER_LATER;
  }

  /** The values to bring home with this read: one at least, if any are left. */
  takePortion(): Value[] {
    let bytes = 0;
    const end = this.#toBringHome.findIndex(
      (value, i) => (bytes += value.length * 4) > this.#portionBytes && i > 0,
    );
    return this.#toBringHome.splice(0, end < 0 ? this.#toBringHome.length : end);
  }

  /** Notes that these are home. @returns the ids of those that nobody but the checkpoint needed any more. */
  broughtHome(portion: readonly Value[], numbers: readonly TypedArray[]): number[] {
    cutHistory(portion, numbers);
    return this.#residents.letGo(portion);
  }
}
