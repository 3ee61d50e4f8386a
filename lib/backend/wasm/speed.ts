import type { Engine, WasmExports } from './engine.ts';

/**
 * Did V8 join the vectors of these kernels, and does this processor gain from it? A tile of joined vectors is then quicker than
 * sums in vectors of 128 bits that have nothing else to do, which no other tile can be. Where there is no AVX2 nothing is
 * joined, and a tile of that size takes twice as long, since its sums do not fit into the registers.
 *
 * The answer takes 1 ms, 15 where it is no: less than a file that would keep it is worth: it is asked once in each process.
 */

const ENOUGH = 1.15;
/** About a tenth of a millisecond: short enough to fall between two interruptions by others. */
const ROUNDS = 250;
const LEAST_TURNS = 4;
const BUDGET_MS = 15;
const BYTES = 16384;

/** @returns whether the wide tile is worth its while */
export function joinedIsFaster(engine: Engine, { timeTile, timeSums }: WasmExports): boolean {
  const at = engine.borrow(BYTES);
  new Uint8Array(engine.memory.buffer(), at, BYTES).fill(0);
  let [tile, sums] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const begin = performance.now();
  for (let turn = 0; turn < LEAST_TURNS || performance.now() - begin < BUDGET_MS; turn++) {
    tile = Math.min(
      tile,
      millisecondsOf(() => timeTile(ROUNDS, at)),
    );
    sums = Math.min(
      sums,
      millisecondsOf(() => timeSums(ROUNDS, at)),
    );
    if (turn >= LEAST_TURNS && sums > ENOUGH * tile) break;
  }
  engine.giveBack();
  return sums > ENOUGH * tile;
}

function millisecondsOf(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
