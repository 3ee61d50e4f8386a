import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

/**
 * The most that a thread can do with 128-bit vectors: twelve independent sums, nothing but multiply-adds, no memory.
 * It is what the micro-kernel of the matrix product would reach if loads cost nothing. A core that does not reach it
 * is shared with somebody at that moment.
 */
const sums = Array.from({ length: 12 }, (_, i) => i);
const SOURCE = `
  export function peak(rounds: i32, x: f32): f32 {
    const a = f32x4.splat(x);
    const b = f32x4.splat(0.5);
    ${sums.map((i) => `let c${i} = f32x4.splat(${i});`).join('\n')}
    for (; rounds > 0; rounds--) {
      ${sums.map((i) => `c${i} = MADD(a, b, c${i});`).join('\n')}
    }
    return f32x4.extract_lane(${sums.map((i) => `c${i}`).reduce((x, y) => `f32x4.add(${x}, ${y})`)}, 0);
  }
`;
/** Two milliseconds of it. */
const ROUNDS = 1_200_000;

/** Threads that were asleep spin for so long before they begin: some systems wake them all on one core at first. */
const SPREAD_MS = 5;

/** Words that the threads share: the number of the round that they wake for and of the one that runs, how many are awake, how many done. */
const WAKE = 0;
const RUN = 1;
const AWAKE = 2;
const DONE = 3;
const HELPER = `
  const { workerData: { module, words, seconds, id } } = require('node:worker_threads');
  const { peak } = new WebAssembly.Instance(module).exports;
  for (let round = 1; ; round++) {
    Atomics.wait(words, ${WAKE}, round - 1);
    Atomics.add(words, ${AWAKE}, 1);
    while (Atomics.load(words, ${RUN}) < round);
    const start = performance.now();
    peak(${ROUNDS}, 0.25);
    seconds[id] = (performance.now() - start) / 1000;
    Atomics.add(words, ${DONE}, 1);
  }
`;

/** Runs the multiply-adds on so many cores at once: how fast are they now? */
export class PeakProbe {
  readonly #peak: (rounds: number, x: number) => number;
  readonly #words = new Int32Array(new SharedArrayBuffer(16));
  readonly #seconds: Float64Array;
  /** Seconds of the slowest core where all were quick. */
  #undisturbed = Number.POSITIVE_INFINITY;

  private constructor(module: WebAssembly.Module, cores: number) {
    this.#peak = new WebAssembly.Instance(module).exports.peak as (rounds: number, x: number) => number;
    this.#seconds = new Float64Array(new SharedArrayBuffer(8 * cores));
    for (let id = 1; id < cores; id++) {
      const workerData = { module, words: this.#words, seconds: this.#seconds, id };
      new Worker(HELPER, { eval: true, workerData, execArgv: [], env: {} }).unref();
    }
  }

  /** `relaxed` uses fused multiply-adds, else multiplication and addition are two. Takes some seconds. */
  static async create(relaxed: boolean, cores: number): Promise<PeakProbe> {
    const madd = relaxed ? 'f32x4.relaxed_madd($1, $2, $3)' : 'f32x4.add(f32x4.mul($1, $2), $3)';
    const source = SOURCE.replace(/MADD\((\w+), (\w+), (\w+)\)/g, madd);
    const enable = ['simd', ...(relaxed ? ['relaxed-simd'] : [])];
    const { binary, error } = await asc.compileString(source, { optimizeLevel: 3, runtime: 'stub', enable });
    if (error || !binary) throw error ?? new Error('the peak kernel did not compile');
    const probe = new PeakProbe(new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>), cores);
    // V8's optimising compiler has first to be done with AssemblyScript's own code.
    const end = performance.now() + 3000;
    while (performance.now() < end) probe.coreSpeed();
    return probe;
  }

  /** What part of its best the slowest core reaches now. */
  coreSpeed(): number {
    const words = this.#words;
    const seconds = this.#seconds;
    const helpers = seconds.length - 1;
    Atomics.store(words, AWAKE, 0);
    Atomics.store(words, DONE, 0);
    Atomics.add(words, WAKE, 1);
    Atomics.notify(words, WAKE);
    const spread = performance.now() + SPREAD_MS;
    while (Atomics.load(words, AWAKE) < helpers || performance.now() < spread);
    Atomics.add(words, RUN, 1);
    const start = performance.now();
    this.#peak(ROUNDS, 0.25);
    seconds[0] = (performance.now() - start) / 1000;
    while (Atomics.load(words, DONE) < helpers);
    const slowest = Math.max(...seconds);
    this.#undisturbed = Math.min(this.#undisturbed, slowest);
    return this.#undisturbed / slowest;
  }
}
