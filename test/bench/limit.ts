import asc from 'assemblyscript/asc';
import { compileJoined, joining } from '../../lib/backend/wasm/vectors.node.ts';

/**
 * The most that one thread can do with vectors of 128 or 256 bits: twelve independent sums, nothing but multiply-adds. Those of 256
 * are pairs that V8 joins, as in the engine (docs/engine.md); where it joins none, the figure says so.
 */
const CHAINS = Array.from({ length: 12 }, (_, i) => i);
const each = (line: (i: number) => string) => CHAINS.map(line).join('\n');
const source = (pairs: boolean) => `
  export function sums(rounds: i32, at: usize): void {
    const a = v128.load32_splat(at);
    const b = v128.load32_splat(at, 4);
    ${each((i) => `let c${i} = v128.load(at, ${32 * i});`)}
    ${pairs ? each((i) => `let d${i} = v128.load(at, ${32 * i + 16});`) : ''}
    for (; rounds > 0; rounds--) {
      ${each((i) => `c${i} = f32x4.relaxed_madd(a, b, c${i});`)}
      ${pairs ? each((i) => `d${i} = f32x4.relaxed_madd(a, b, d${i});`) : ''}
    }
    ${each((i) => `${pairs ? `v128.store(at, d${i}, ${32 * i + 16});` : ''} v128.store(at, c${i}, ${32 * i});`)}
  }
`;
const ROUNDS = 20_000;
/** For so long: where V8's optimising compiler cannot be asked for at once, it comes within the first second. */
const MILLISECONDS = 1500;

/** GFLOP/s of one thread at its quickest. */
export async function limitOf(vectors: 128 | 256): Promise<number> {
  const options = { optimizeLevel: 3, runtime: 'stub', enable: ['simd', 'relaxed-simd'], initialMemory: 1 };
  const { binary, error } = await asc.compileString(source(vectors === 256), options);
  if (error || !binary) throw error ?? new Error('the sums did not compile');
  const bytes = binary as Uint8Array<ArrayBuffer>;
  // Where there are no pairs nothing is joined, but everything is optimised.
  const module = joining().possible ? compileJoined(bytes) : new WebAssembly.Module(bytes);
  const sums = new WebAssembly.Instance(module).exports.sums as (rounds: number, at: number) => void;
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + MILLISECONDS;
  while (performance.now() < end) {
    const start = performance.now();
    sums(ROUNDS, 1024);
    best = Math.min(best, performance.now() - start);
  }
  return (ROUNDS * CHAINS.length * (vectors / 32) * 2) / best / 1e6;
}
