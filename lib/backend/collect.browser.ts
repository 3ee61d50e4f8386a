import type { Collector } from './collector.ts';

/**
 * More than any heap of V8: when so much is allocated it collects all garbage. The pages are never touched, so they cost
 * nothing. But the second such array within a short time may pass without a collection, while the first one still counts.
 */
const PRESSURE = 8 * 2 ** 30;
/** More than V8 can place, and less than it refuses unseen (2 ** 35): before it refuses, it collects several times. */
const TOO_MUCH = 24 * 2 ** 30;

/**
 * A garbage collection in a browser, which offers no call for one. A tensor is a few bytes to its JavaScript heap,
 * whatever it takes in the kernels' memory, so nothing urges the collector. An `ArrayBuffer` does: browsers count its
 * bytes. Half of that much makes V8 only begin to mark, at leisure, and what dies meanwhile stays for the next round.
 *
 * It does not work within one job: a WeakRef that was made or read in a job holds its target until the job ends.
 */
export function createCollector(): Collector {
  return {
    withinJob: false,
    collect(thoroughly = false) {
      try {
        new ArrayBuffer(thoroughly ? TOO_MUCH : PRESSURE);
      } catch {
        // Refused: it has collected before it said so.
      }
    },
  };
}
