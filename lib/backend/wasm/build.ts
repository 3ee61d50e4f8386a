import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import * as protocol from './protocol.ts';
import { protocolInAssemblyScript } from './protocolInAssemblyScript.ts';

/**
 * Builds the kernels (assembly/, AssemblyScript) into two WebAssembly modules beside this file: one with relaxed
 * SIMD's fused multiply-add, one with plain SIMD for runtimes without it. Run by the install: `npm run build`.
 */

const variants = [
  { file: 'kernels.relaxed.wasm', features: 'simd,threads,relaxed-simd' },
  { file: 'kernels.simd.wasm', features: 'simd,threads' },
];

writeFileSync(new URL('assembly/protocol.ts', import.meta.url), protocolInAssemblyScript());
for (const { file, features } of variants) {
  const { error, stderr } = await asc.main([
    'assembly/index.ts',
    ...['--baseDir', fileURLToPath(new URL('.', import.meta.url))],
    ...['--outFile', file],
    ...['--enable', features],
    ...['--runtime', 'stub', '--noAssert', '-O3', '--converge'],
    // Constants lie behind the words that the threads share (assembly/pool.ts).
    ...['--memoryBase', String(protocol.CONSTANTS)],
    // The memory is the caller's, up to 4 GiB, shared between threads.
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ]);
  if (error) {
    console.error(`${stderr.toString()}\nbuilding ${file} failed: ${error.message}`);
    process.exit(1);
  }
}
