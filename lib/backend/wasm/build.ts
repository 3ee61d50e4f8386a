import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import * as protocol from './protocol.ts';
import { protocolInAssemblyScript } from './protocolInAssemblyScript.ts';

/**
 * Builds the kernels (assembly/, AssemblyScript) into a WebAssembly module for each variant, beside this file. Run by the
 * install: `npm run build`.
 */

/** Written beside and renamed: a runtime that reads the file now has the old one or the new one. */
function write(name: string, contents: string | Uint8Array): void {
  const file = fileURLToPath(new URL(name, import.meta.url));
  try {
    writeFileSync(`${file}.new`, contents);
    renameSync(`${file}.new`, file);
  } catch (error) {
    stop(`${file} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

function stop(why: string): never {
  console.error(`The CPU engine could not be built: ${why}`);
  process.exit(1);
}

write('assembly/protocol.ts', protocolInAssemblyScript());
for (const variant of protocol.VARIANTS) {
  const file = `kernels.${variant}.wasm`;
  const args = [
    'assembly/index.ts',
    ...['--baseDir', fileURLToPath(new URL('.', import.meta.url))],
    ...['--outFile', file],
    ...['--enable', variant === 'simd' ? 'simd,threads' : 'simd,threads,relaxed-simd'],
    ...['--use', `ASC_REGION=${protocol.regionOf(variant)}`],
    ...['--use', `ASC_PANEL_COLUMNS=${protocol.panelColumns(variant)}`],
    ...['--runtime', 'stub', '--noAssert', '-O3', '--converge'],
    // The names of functions, by which a test asks V8 what became of them.
    ...(variant === 'wide' ? ['--debug'] : []),
    // Constants lie behind the words that the threads share (assembly/pool.ts).
    ...['--memoryBase', String(protocol.regionOf(variant) + protocol.CONSTANTS)],
    // The memory is the caller's, up to 4 GiB, shared between threads.
    ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ];
  let module: Uint8Array | undefined;
  // Its own way of writing says nothing where nothing can be written.
  const writeFile = (_name: string, contents: string | Uint8Array) => {
    module = contents as Uint8Array;
  };
  const { error, stderr } = await asc.main(args, { writeFile });
  if (error) stop(`${stderr.toString()}\n${error.message}`);
  if (!module) stop(`the compiler gave no ${file}`);
  write(file, module);
}
