import v8 from 'node:v8';

/**
 * Vectors of 256 bits. WebAssembly has none, but V8 has a pass, off unless asked for, that joins two operations on 128 bits
 * that lie side by side into one of AVX2 (docs/engine.md). It counts as experimental, so it is switched on for the kernels alone.
 */

/** The versions of V8 on which `.ci/run` tests the joined kernels: those of Node 24 and 26. */
const TESTED = ['13.6', '14.6'];
/** In the version of Node 22 the flag is there, and nothing is joined. */
const FIRST = 13.6;

/** Can this runtime join vectors, and is its V8 one of those that were tested? If it cannot, why not? */
export function joining(): { possible: boolean; tested: boolean; why: string; note?: string } {
  const { arch, versions } = process;
  const version = versions.v8.split('.').slice(0, 2).join('.');
  const no = { possible: false, tested: false };
  if (arch !== 'x64') return { ...no, why: `they need a processor with AVX2, not ${arch}` };
  if (versions.bun) return { ...no, why: 'they need V8, which Bun has not' };
  if (Number.parseFloat(version) < FIRST) {
    return {
      ...no,
      why: `they need Node 24 or later, and this is ${versions.node}`,
      note: 'Node 24 or later: 256',
    };
  }
  const tested = TESTED.includes(version) && !versions.deno;
  return {
    ...{ possible: true, tested, why: `they are not tested with V8 ${version}` },
    ...(tested ? {} : { note: 'LLMS_VECTORS=256 tries 256' }),
  };
}

/**
 * Each flag for the compilation, and how it is set back. Only V8's optimising compiler joins vectors, so all functions go
 * through it at once; and without the counts of calls that the other compiler takes, it must not inline.
 */
const FLAGS = [
  ['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'],
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-inlining', '--wasm-inlining'],
  ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
];

/** Compiles a module whose pairs of vectors are joined. What is compiled afterwards is compiled as ever. */
export function compileJoined(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  // Whoever started Node with one of them wants it as it is.
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS?.split(/\s+/) ?? [])];
  for (const [on] of FLAGS) v8.setFlagsFromString(on);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const [on, off] of FLAGS) if (!given.includes(on)) v8.setFlagsFromString(off);
  }
}

/** What the environment asks for, if it does. */
export const vectorsInEnvironment = (): string | undefined => process.env.LLMS_VECTORS || undefined;
