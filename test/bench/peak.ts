import asc from 'assemblyscript/asc';

/**
 * The most that one thread can do with 128-bit vectors: twelve independent sums, nothing but multiply-adds, no memory.
 * It is what the micro-kernel of the matrix product would reach if loads cost nothing.
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

/** GFLOP/s of one thread; `relaxed` uses fused multiply-adds, else multiplication and addition are two. */
export async function peakGflops(relaxed: boolean): Promise<number> {
  const madd = relaxed ? 'f32x4.relaxed_madd($1, $2, $3)' : 'f32x4.add(f32x4.mul($1, $2), $3)';
  const source = SOURCE.replace(/MADD\((\w+), (\w+), (\w+)\)/g, madd);
  const enable = ['simd', ...(relaxed ? ['relaxed-simd'] : [])];
  const { binary, error } = await asc.compileString(source, { optimizeLevel: 3, runtime: 'stub', enable });
  if (error || !binary) throw error ?? new Error('the peak kernel did not compile');
  const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  const { peak } = new WebAssembly.Instance(module).exports as { peak(rounds: number, x: number): number };
  const rounds = 2_000_000;
  let shortest = Number.POSITIVE_INFINITY;
  // Two seconds of it: V8's optimising compiler has first to be done with AssemblyScript's own code.
  const end = performance.now() + 2000;
  while (performance.now() < end) {
    const start = performance.now();
    peak(rounds, 0.25);
    shortest = Math.min(shortest, performance.now() - start);
  }
  return (rounds * 12 * 8) / shortest / 1e6;
}
